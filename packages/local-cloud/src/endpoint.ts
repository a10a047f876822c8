import { randomUUID } from "node:crypto";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type Operations, ServiceError } from "./api/operation.ts";
import { queryAnswer, queryBody } from "./api/rds.ts";
import type { RestAnswer } from "./api/rest.ts";
import type { Faults } from "./faults.ts";
import type { AccessControl, Principal } from "./iam/accessControl.ts";
import { type ApiRequest, type Call, callsOf, keyCallsOf } from "./iam/calls.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import { secretName } from "./motoState.ts";
import type { Place } from "./resourceTypes.ts";

export interface EndpointOptions {
  readonly place: Place;
  readonly access: AccessControl;
  readonly faults: Faults;
  /** Answered here, by signing name. */
  readonly services: Readonly<Record<string, Operations>>;
  readonly rest: Readonly<Record<string, (request: ApiRequest) => RestAnswer | Promise<RestAnswer>>>;
  /** Answered by moto. */
  readonly forwarded: ReadonlySet<string>;
  readonly moto: string;
  /** The IAM user whose access key it is. */
  readonly userOfKey: (accessKeyId: string) => Promise<string | undefined>;
  /** Gets each message that a queue took. */
  readonly onMessage: (queue: string, body: Json) => void;
  /** The customer's key over a table or a queue, by the resource's ARN. */
  readonly keyOver: (resource: string) => string | undefined;
  /** The machine whose task a token is of. */
  readonly machineOfToken: (token: string) => string | undefined;
  /** What a container asks at its credentials' address. */
  readonly containerCredentials: (id: string) => Json | undefined;
}

const largestBody = 16 * 1024 * 1024;

const readBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of incoming) {
    size += part.length;
    if (size > largestBody) throw new ServiceError("RequestEntityTooLarge", "the request is too large", 413);
    parts.push(part);
  }
  return Buffer.concat(parts);
};

/** Who signed it and for which service, by the header or, for S3, the query. Signatures themselves are not computed. */
const signatureOf = (incoming: IncomingMessage, url: URL): { readonly key: string; readonly service: string } => {
  const credential =
    /Credential=([^,\s]+)/.exec(incoming.headers.authorization ?? "")?.[1] ??
    url.searchParams.get("X-Amz-Credential") ??
    "";
  const [key = "", , , service = ""] = credential.split("/");
  return { key, service };
};

const xmlServices = new Set(["s3", "sts", "rds", "iam"]);
/** Asked with forms, answered in XML. */
const queryServices = new Set(["sts", "rds", "iam"]);

/** SES speaks REST with JSON to send, and forms for its rules, under one signing name. */
const sesOperation = (path: string): string => (path === "/v2/email/outbound-emails" ? "SendRawEmail" : "");

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const answerJson = (
  response: ServerResponse,
  status: number,
  body: Json | undefined,
  headers: Record<string, string> = {},
) => {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.0",
    "x-amzn-requestid": randomUUID(),
    ...headers,
  });
  response.end(body === undefined ? "" : JSON.stringify(body));
};

const answerError = (response: ServerResponse, service: string, { code, message, status }: ServiceError): void => {
  if (!xmlServices.has(service)) {
    answerJson(response, status, { __type: code, message, Message: message }, { "x-amzn-errortype": code });
    return;
  }
  const error = `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml", "x-amzn-requestid": randomUUID() });
  response.end(service === "s3" ? error : `<ErrorResponse>${error}</ErrorResponse>`);
};

const denied = (service: string, principal: Principal, { action, resource }: Call): ServiceError => {
  const message = `User: ${principal.role} is not authorized to perform: ${action} on resource: ${resource}`;
  return service === "s3"
    ? new ServiceError("AccessDenied", message, 403)
    : new ServiceError(
        ["sts", "iam"].includes(service) ? "AccessDenied" : "AccessDeniedException",
        message,
        xmlServices.has(service) ? 403 : 400,
      );
};

const anyJsonOf = (bytes: Buffer): Json => {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
};

const jsonOf = (bytes: Buffer): JsonObject => {
  const value = anyJsonOf(bytes);
  return isObject(value) ? value : {};
};

/** What moto gets: secrets are asked for by name. */
const forMoto = ({ service, body }: ApiRequest, bytes: Buffer | undefined): Buffer | undefined =>
  service === "secretsmanager" && typeof body.SecretId === "string"
    ? Buffer.from(JSON.stringify({ ...body, SecretId: secretName(body.SecretId) }))
    : bytes;

/** The one address that answers for all of AWS: knows the caller, asks whether it may, does it or lets moto do it. */
export const startEndpoint = async (options: EndpointOptions) => {
  const {
    access,
    containerCredentials,
    faults,
    forwarded,
    keyOver,
    machineOfToken,
    moto,
    onMessage,
    place,
    rest,
    services,
    userOfKey,
  } = options;
  const motoUrl = new URL(moto);

  /** A missing object is a secret to who may not list: S3 then says "forbidden" where others hear "not found". */
  const hidesMissing = (principal: Principal, { service, method, url }: ApiRequest): boolean => {
    const [, bucket = "", key = ""] = /^\/([^/]+)\/(.+)$/.exec(decodeURIComponent(url.pathname)) ?? [];
    if (service !== "s3" || !["GET", "HEAD"].includes(method) || !key) return false;
    const call = { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}`, context: { "s3:prefix": key } };
    return !access.wouldAllow(principal, call);
  };

  const forward = (
    incoming: IncomingMessage,
    response: ServerResponse,
    body: Buffer | undefined,
    hides: boolean,
  ): Promise<void> =>
    new Promise((resolve) => {
      const broken = () => {
        response.destroy();
        resolve();
      };
      const outgoing = httpRequest(
        {
          host: motoUrl.hostname,
          port: motoUrl.port,
          method: incoming.method,
          path: incoming.url,
          headers: body ? { ...incoming.headers, "content-length": body.byteLength } : incoming.headers,
        },
        (answer) => {
          if (hides && answer.statusCode === 404) {
            answer.resume();
            answerError(response, "s3", new ServiceError("AccessDenied", "Access Denied", 403));
            return resolve();
          }
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response).once("close", resolve);
          answer.once("error", broken);
        },
      );
      outgoing.once("error", broken);
      if (body) outgoing.end(body);
      else incoming.pipe(outgoing);
    });

  /** Answers to tokens are rights on the machine; to a token that never was, nobody needs any. */
  const asked = (request: ApiRequest, bodyText: string): readonly Call[] => {
    const calls = callsOf(request, place, bodyText);
    if (!request.operation.startsWith("SendTask")) return calls;
    const machine = machineOfToken(String(request.body.taskToken));
    return machine === undefined ? [] : calls.map((call) => ({ ...call, resource: machine }));
  };

  const check = (request: ApiRequest, principal: Principal, bodyText: string): void => {
    for (const call of asked(request, bodyText)) {
      const fault = faults.strikes.api(call.action);
      if (fault) throw new ServiceError(fault.code, fault.message ?? "a fault on purpose", fault.status ?? 400);
      const key = keyOver(call.resource);
      for (const needed of [call, ...(key ? keyCallsOf(request.service, key, place) : [])])
        if (!access.allows(principal, needed)) throw denied(request.service, principal, needed);
    }
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? "/", "http://local");
    const { key, service } = signatureOf(incoming, url);
    const credentials = /^\/local\/credentials\/(\w+)$/.exec(url.pathname)?.[1];
    try {
      if (credentials) return answerJson(response, 200, containerCredentials(credentials) ?? {});
      const principal = access.principalOf(key);
      if (!principal)
        throw new ServiceError(
          "UnrecognizedClientException",
          "The security token included in the request is invalid.",
          403,
        );
      const streams = service === "s3" && incoming.method === "PUT";
      const bytes = streams ? undefined : await readBody(incoming);
      const text = service === "s3" ? (bytes?.toString("utf8") ?? "") : "";
      const target = String(incoming.headers["x-amz-target"] ?? "");
      const isForm = queryServices.has(service) || (service === "ses" && sesOperation(url.pathname) === "");
      const form = isForm ? new URLSearchParams(bytes?.toString("utf8")) : undefined;
      // IAM judges by the user, also where a request names the key alone.
      const keyId = service === "iam" && !form?.has("UserName") ? form?.get("AccessKeyId") : undefined;
      const user = keyId ? await userOfKey(keyId) : undefined;
      const request: ApiRequest = {
        service,
        operation: target.split(".").at(-1) || (form?.get("Action") ?? sesOperation(url.pathname)),
        method: incoming.method ?? "GET",
        url,
        headers: incoming.headers,
        body:
          service === "s3"
            ? {}
            : form
              ? { ...queryBody(form), ...(user ? { UserName: user } : {}) }
              : jsonOf(bytes ?? Buffer.alloc(0)),
        ...(service === "lambda" ? { payload: anyJsonOf(bytes ?? Buffer.alloc(0)) } : {}),
      };
      check(request, principal, text);
      const speaksRest = rest[service];
      if (speaksRest) {
        const { status, body, headers } = await speaksRest(request);
        return answerJson(response, status, body === null && status === 202 ? undefined : body, { ...headers });
      }
      const own = services[service];
      if (own) {
        const operation = own[request.operation];
        if (!operation)
          throw new ServiceError(
            "UnknownOperationException",
            `the local cloud does not know ${service}:${request.operation}`,
          );
        const answer = await operation(request.body, principal);
        if (!form) return answerJson(response, 200, answer);
        response.writeHead(200, { "content-type": "text/xml" });
        return void response.end(queryAnswer(request.operation, answer));
      }
      if (!forwarded.has(service))
        throw new ServiceError("UnknownOperationException", `the local cloud does not know the service ${service}`);
      await forward(incoming, response, forMoto(request, bytes), hidesMissing(principal, request));
      if (service === "sqs" && request.operation === "SendMessage" && response.statusCode === 200)
        onMessage(asked(request, text)[0]?.resource ?? "", anyJsonOf(Buffer.from(String(request.body.MessageBody))));
    } catch (error) {
      if (error instanceof ServiceError && error.status === 0) return void response.destroy();
      const known = error instanceof ServiceError ? error : new ServiceError("InternalFailure", String(error), 500);
      if (!incoming.readableEnded) incoming.resume();
      answerError(response, service, known);
    }
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
