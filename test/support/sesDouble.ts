import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export interface SesRequest {
  readonly FromEmailAddress: string;
  readonly Destination: { readonly ToAddresses: readonly string[] };
  readonly Content: { readonly Raw: { readonly Data: string } };
}

/** What SES answers: nothing special, an error under its name, or no answer at all. */
type SesAnswer =
  | undefined
  | { readonly error: string; readonly status?: number; readonly message?: string }
  | "cut off";

/**
 * SES's API to send, which keeps every byte. moto reads messages as UTF-8 and refuses others.
 *
 * @param answer is asked for each request, in order
 */
export const startSesDouble = async (answer: (request: SesRequest, at: number) => SesAnswer = () => undefined) => {
  const sent: { readonly from: string; readonly to: readonly string[]; readonly raw: Buffer }[] = [];
  let requests = 0;
  const server = createServer(async (incoming, response) => {
    const request = (await json(incoming)) as SesRequest;
    requests += 1;
    const said = answer(request, requests);
    if (said === undefined || said === "cut off")
      sent.push({
        from: request.FromEmailAddress,
        to: request.Destination.ToAddresses,
        raw: Buffer.from(request.Content.Raw.Data, "base64"),
      });
    if (said === "cut off") return void incoming.socket.destroy();
    const { error, status = 400, message = "the double says so" } = said ?? {};
    response.writeHead(said ? status : 200, {
      "content-type": "application/json",
      ...(error ? { "x-amzn-errortype": error } : {}),
    });
    response.end(JSON.stringify(said ? { message } : { MessageId: `ses-${sent.length}` }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
