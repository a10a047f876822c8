import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** One request to a service of AWS. */
export interface AwsCall {
  /** As in `states:SendTaskSuccess`. */
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** What the service answers: a JSON object or XML, or an error under its name. */
export type AwsAnswer =
  | { readonly body: object | string }
  | { readonly error: string; readonly status?: number; readonly message?: string };

export interface AwsStub extends AsyncDisposable {
  readonly url: string;
  /** In order. */
  readonly calls: readonly AwsCall[];
}

/** The action that a request asks for: in a header with JSON, in the form with XML. */
const callOf = (target: string | undefined, body: string): AwsCall => {
  if (target !== undefined) return { action: target.split(".").at(-1) ?? "", input: JSON.parse(body || "{}") };
  const { Action = "", ...input } = Object.fromEntries(new URLSearchParams(body));
  return { action: Action, input };
};

/** Services of AWS that speak JSON or the query protocol, on one port of this machine; `answer` plays them. */
export const startAwsStub = async (answer: (call: AwsCall) => AwsAnswer): Promise<AwsStub> => {
  const calls: AwsCall[] = [];
  const server = createServer(async (request, response) => {
    const target = request.headers["x-amz-target"];
    const json = typeof target === "string";
    const call = callOf(json ? target : undefined, await text(request));
    calls.push(call);
    const said = answer(call);
    const type = json ? "application/x-amz-json-1.0" : "text/xml";
    if ("body" in said) {
      response.writeHead(200, { "content-type": type });
      response.end(typeof said.body === "string" ? said.body : JSON.stringify(said.body));
      return;
    }
    const { error, status = 400, message = "the stub says so" } = said;
    response.writeHead(status, { "content-type": type });
    response.end(
      json
        ? JSON.stringify({ __type: error, message })
        : `<ErrorResponse><Error><Type>Sender</Type><Code>${error}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
