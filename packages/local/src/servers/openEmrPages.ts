import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** What a page answers: a body with status 200, or all of it. */
export type PageAnswer = string | ((response: ServerResponse, request: IncomingMessage) => void);

/** Pages as a release of OpenEMR answers them, on this machine's loopback. */
export interface OpenEmrPages extends AsyncDisposable {
  /** With a slash at its end. */
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly seen: readonly string[];
  /** From now on these are the pages, by path; any other is absent. */
  serve(pages: Readonly<Record<string, PageAnswer>>): void;
}

export const redirect =
  (location: string): PageAnswer =>
  (response) =>
    response.writeHead(302, { location }).end();

const checks = { installed: true, database: true, filesystem: true, session: true, oauth_keys: true, cache: true };
const readyWith = (changes: Partial<typeof checks>): string =>
  JSON.stringify({ status: "ready", checks: { ...checks, ...changes } });

/** From 8.0.0 on. */
export const newRelease = (changes: Partial<typeof checks> = {}): Readonly<Record<string, PageAnswer>> => ({
  "/meta/health/livez": '{"status":"alive"}',
  "/meta/health/readyz": readyWith(changes),
});

const form =
  '<html><form method="post"><input type="text" name="authUser"><input type="password" name="clearPass"></form></html>';

/** Before 8.0.0. */
export const oldRelease = (login: PageAnswer = form): Readonly<Record<string, PageAnswer>> => ({
  "/": redirect("interface/login/login.php?site=default"),
  "/interface/login/login.php": login,
});

/** @param certificate its texts in PEM form; not set, plain HTTP */
export const startOpenEmrPages = async (
  pages: Readonly<Record<string, PageAnswer>> = newRelease(),
  certificate?: { readonly cert: string; readonly key: string },
): Promise<OpenEmrPages> => {
  const seen: string[] = [];
  let served = pages;
  const answer: RequestListener = (request, response) => {
    const path = request.url ?? "/";
    seen.push(path);
    const page = served[path.replace(/\?.*$/, "")];
    if (typeof page === "function") return page(response, request);
    response.writeHead(page === undefined ? 404 : 200).end(page ?? "Not Found");
  };
  const server = certificate ? createTlsServer({ ...certificate }, answer) : createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http${certificate ? "s" : ""}://127.0.0.1:${port}/`,
    seen,
    serve: (next) => {
      served = next;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
