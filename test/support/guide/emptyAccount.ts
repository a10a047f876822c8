import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { LocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { assertAdmitsTls } from "./bucketPolicy.ts";
import { nameOf, StackError, type StackStandIn, stackStandIn } from "./stackStandIn.ts";

/** An account in which nobody deployed anything, at one address. */
export interface EmptyAccount extends AsyncDisposable {
  readonly url: string;
  readonly moto: string;
  readonly stacks: StackStandIn;
  /** Every request, as `cloudformation:CreateStack eu-central-1`. */
  readonly calls: readonly string[];
  /** What runs the deployed stacks answers from now on for what they made. */
  deployed(cloud: LocalCloud): void;
  /** For clients of any kind. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Services that only deployed stacks have something in. */
const ofDeployment = new Set(["states", "events", "scheduler", "lambda"]);

interface Incoming {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const pass = async (to: string, { method, url, headers, body }: Incoming): Promise<Answer> => {
  const { hostname, port } = new URL(to);
  const outgoing = httpRequest({ hostname, port, method, path: url, headers });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
};

const xml = (status: number, text: string): Answer => ({
  status,
  headers: { "content-type": "text/xml" },
  body: Buffer.from(text),
});

/** Where a request is for, by its signature, and what it asks. */
const readRequest = ({ headers, body, method }: Incoming) => {
  const [, key = "", region = "", service = ""] =
    /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? "") ?? [];
  const isForm = String(headers["content-type"]).startsWith("application/x-www-form-urlencoded");
  const form: Readonly<Record<string, string>> = isForm
    ? Object.fromEntries(new URLSearchParams(body.toString("utf8")))
    : {};
  const target = String(headers["x-amz-target"] ?? "")
    .split(".")
    .at(-1);
  return { key, region, service, form, operation: target || (form.Action ?? method) };
};

/**
 * Moto, with a stand-in for CloudFormation before it that takes every template, and a database cluster that is a server of this
 * machine.
 */
export const startEmptyAccount = async ({
  account,
  region,
  database,
}: {
  readonly account: string;
  readonly region: string;
  readonly database: { readonly host: string; readonly port: number };
}): Promise<EmptyAccount> => {
  const moto = await startMoto({ account });
  const calls: string[] = [];
  let cloud: LocalCloud | undefined;
  const signedFor = (service: string) => ({
    authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  });
  const stacks = stackStandIn({
    place: `${region}:${account}`,
    create: async (form) => {
      const body = new URLSearchParams(form);
      const answer = await fetch(moto.url, { method: "POST", headers: signedFor("cloudformation"), body });
      if (!answer.ok) throw new StackError(`moto refused ${form.StackName}: ${await answer.text()}`);
    },
    templateAt: async (url) => {
      const { pathname, hostname } = new URL(url);
      const [, bucket] = /^(.+)\.s3[.-]/.exec(hostname) ?? [];
      const answer = await fetch(`${moto.url}${bucket ? `/${bucket}` : ""}${pathname}`, { headers: signedFor("s3") });
      if (!answer.ok) throw new StackError(`S3 error: there is no template ${pathname}`);
      return answer.text();
    },
  });

  const clusters = `<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster><Endpoint>${database.host}</Endpoint><Port>${database.port}</Port><MasterUsername>dbadmin</MasterUsername><DatabaseName>openemr</DatabaseName></DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>`;

  const answerTo = async (incoming: Incoming): Promise<Answer> => {
    const { key, region: where, service, form, operation } = readRequest(incoming);
    calls.push(`${service}:${operation} ${where}`);
    if (service === "cloudformation") {
      const answer = await stacks.answer(form);
      if (answer !== undefined) return xml(200, answer);
      const body = Buffer.from(new URLSearchParams({ ...form, StackName: nameOf(form) }).toString());
      return pass(moto.url, {
        ...incoming,
        body,
        headers: { ...incoming.headers, "content-length": `${body.length}` },
      });
    }
    if (service === "rds" && operation === "DescribeDBClusters") return xml(200, clusters);
    const [, bucket] = /^\/([^/?]+)\?policy$/.exec(incoming.url) ?? [];
    if (service === "s3" && bucket !== undefined && incoming.method === "PUT") {
      assertAdmitsTls(bucket, incoming.body.toString("utf8"));
      return { status: 204, headers: {}, body: Buffer.alloc(0) };
    }
    if (cloud && ofDeployment.has(service)) {
      const person = cloud.environment().AWS_ACCESS_KEY_ID ?? "";
      const authorization = incoming.headers.authorization?.replace(`Credential=${key}/`, `Credential=${person}/`);
      return pass(cloud.endpoint, { ...incoming, headers: { ...incoming.headers, authorization } });
    }
    return pass(moto.url, incoming);
  };

  const server = createServer(async (request, response) => {
    const { method = "GET", url = "/", headers } = request;
    const answer = await answerTo({ method, url, headers, body: await buffer(request) }).catch((error: unknown) =>
      error instanceof StackError
        ? xml(
            400,
            `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${error.message}</Message></Error></ErrorResponse>`,
          )
        : xml(
            500,
            `<ErrorResponse><Error><Code>InternalFailure</Code><Message>${String(error)}</Message></Error></ErrorResponse>`,
          ),
    );
    const { "transfer-encoding": _, ...kept } = answer.headers;
    response.writeHead(answer.status, {
      ...kept,
      ...(method === "HEAD" ? {} : { "content-length": answer.body.length }),
    });
    response.end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    moto: moto.url,
    stacks,
    calls,
    deployed: (running) => {
      cloud = running;
    },
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local-only",
      AWS_EC2_METADATA_DISABLED: "true",
      SST_TELEMETRY_DISABLED: "1",
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await moto.stop();
    },
  };
};
