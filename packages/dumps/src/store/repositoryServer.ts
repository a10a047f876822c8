import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { ByteRange, Destination } from "@openemr-ops/core/destination";
import { IntegrityError, type OpsError, RetryableError, toOpsError } from "@openemr-ops/core/errors";
import { sameText } from "../seal.ts";

/** A repository that restic reads through this program. */
export interface ServedRepository extends AsyncDisposable {
  /** In restic's words, with what opens it: for the environment of a child alone. */
  readonly url: string;
  /** Why the store did not give what was asked for, where it did not. */
  failure(): OpsError | undefined;
}

export interface ServeSettings {
  /** Bytes of each piece that was read. */
  readonly onRead?: (bytes: number) => void;
  /** Called once for a failure that no second request helps. restic would ask again for 15 minutes. */
  readonly onFatal?: (error: OpsError) => void;
}

const folders = /^\/(data|index|keys|snapshots)\/([0-9a-f]{64})?$/;

/** The object's key in the layout of every store but this one. Source: restic's doc/design.rst, "Repository Layout". */
const keyOf = (folder: string, name: string): string =>
  folder === "data" ? `data/${name.slice(0, 2)}/${name}` : `${folder}/${name}`;

const rangeIn = (header: string | undefined): ByteRange | undefined => {
  const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), ...(last ? { length: Number(last) - Number(start) + 1 } : {}) };
};

/**
 * Serves a repository to a restic of ours, for reading alone: restic knows one set of keys for all stores of a kind, so what
 * copies from one store to another could not open both. Our own client opens this one. restic's protocol for servers has no
 * more than this. Source: restic's doc/REST_backend.rst.
 *
 * It listens on this machine alone, and answers only who knows a password made for it.
 */
export const serveRepository = async (
  destination: Destination,
  { onRead, onFatal }: ServeSettings = {},
): Promise<ServedRepository> => {
  const password = randomBytes(24).toString("hex");
  const expected = `Basic ${Buffer.from(`openemr-ops:${password}`).toString("base64")}`;
  let failed: OpsError | undefined;
  const fail = (error: unknown): void => {
    if (failed !== undefined && !(failed instanceof RetryableError)) return; // the first reason is the one to report
    failed = toOpsError(error);
    if (!(failed instanceof RetryableError)) onFatal?.(failed);
  };

  const list = async (folder: string, response: ServerResponse): Promise<void> => {
    const found: { name: string; size: number }[] = [];
    for await (const { key, byteLength } of destination.list(`${folder}/`))
      found.push({ name: key.slice(key.lastIndexOf("/") + 1), size: byteLength });
    response.writeHead(200, { "Content-Type": "application/vnd.x.restic.rest.v2" }).end(JSON.stringify(found));
  };

  const send = async (key: string, { method, headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    const range = rangeIn(headers.range);
    // A range with an end has a known length: that saves a request for each part of a pack.
    const length = range?.length ?? (await destination.describe(key))?.byteLength;
    const whole = length === undefined || range?.length !== undefined ? length : length - (range?.start ?? 0);
    const body = whole === undefined || method === "HEAD" ? undefined : await destination.get(key, range);
    if (whole === undefined || (method !== "HEAD" && !body)) {
      // An older restic asks again for minutes for what it saw in a list. Whether there is a repository it asks by the config.
      if (method !== "HEAD" && key !== "config") fail(new IntegrityError(`object ${key} is not at ${destination.url}`));
      return void response.writeHead(404).end();
    }
    response.writeHead(range ? 206 : 200, {
      "Content-Length": whole,
      ...(range ? { "Content-Range": `bytes ${range.start}-${range.start + whole - 1}/*` } : {}),
    });
    if (!body) return void response.end();
    let sent = 0;
    await pipeline(
      body,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          sent += chunk.length;
          onRead?.(chunk.length);
          yield chunk;
        }
        if (sent !== whole)
          throw new IntegrityError(`object ${key} at ${destination.url} is damaged: it is shorter than was written`);
      },
      response,
    );
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!sameText(request.headers.authorization ?? "", expected)) return void response.writeHead(401).end();
    const { method = "", url = "" } = request;
    const [, folder, name] = folders.exec(url) ?? [];
    if (method !== "GET" && method !== "HEAD") return void response.writeHead(405).end();
    if (url === "/config") return send("config", request, response);
    if (folder === undefined) return void response.writeHead(404).end();
    return name === undefined ? list(folder, response) : send(keyOf(folder, name), request, response);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // restic goes away from what it no longer needs.
      if (!request.socket.destroyed) fail(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(failed instanceof RetryableError ? 503 : 403).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `rest:http://openemr-ops:${password}@127.0.0.1:${port}/`,
    failure: () => failed,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
