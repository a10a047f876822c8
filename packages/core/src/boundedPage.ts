import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { TLSSocket } from "node:tls";

/** The answer to one request. A redirect is an answer like any other: it is never followed here. */
export interface Page {
  readonly status: number;
  /** Where a redirect leads, as it was written. */
  readonly location?: string;
  /** The first bytes as UTF-8, up to the limit. */
  readonly body: string;
  /** When the server's certificate ends. */
  readonly certificateEnds?: Date;
}

export interface PageOptions {
  readonly signal: AbortSignal;
  /** `required`: encrypted, certificate not checked. `verify`: certificate and host name checked. For `https` alone. */
  readonly tls: "required" | "verify";
  /** Authorities to trust, in PEM form; not set, the system's. */
  readonly authorities?: string;
}

/** @throws the system's or TLS's own error, see `networkFailureOf` */
export type ReadPage = (url: URL, options: PageOptions) => Promise<Page>;

/** No login page or status is larger. Bytes. */
const largest = 1 << 20;

const endOf = (socket: unknown): Date | undefined => {
  if (!(socket instanceof TLSSocket)) return undefined;
  const ends = new Date(socket.getPeerCertificate().valid_to);
  return Number.isNaN(ends.getTime()) ? undefined : ends;
};

/** Reads a page with GET, on a connection of its own: no more of it than a megabyte, no longer than `signal` allows. */
export const readPage: ReadPage = (url, { signal, tls, authorities }) =>
  new Promise((resolve, reject) => {
    const options = { agent: false, signal, headers: { accept: "*/*", "accept-encoding": "identity" } } as const;
    const trust = { rejectUnauthorized: tls === "verify", ...(authorities === undefined ? {} : { ca: authorities }) };
    const request = url.protocol === "https:" ? tlsRequest(url, { ...options, ...trust }) : plainRequest(url, options);
    request.on("error", reject);
    request.on("response", (response) => {
      const { statusCode: status = 0, headers, socket } = response;
      const certificateEnds = endOf(socket);
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        resolve({
          status,
          body: Buffer.concat(chunks).subarray(0, largest).toString("utf8"),
          ...(headers.location === undefined ? {} : { location: headers.location }),
          ...(certificateEnds ? { certificateEnds } : {}),
        });
        response.destroy();
      };
      response.on("error", reject);
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= largest) finish();
      });
      response.on("end", finish);
    });
    request.end();
  });
