import { access, readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import type mysql from "mysql2/promise";
import { seededRandom } from "../estate/random.ts";
import { connectAsSite } from "./siteConnection.ts";
import { startWriting, type Writing } from "./writing.ts";

/** A stand-in for OpenEMR: it reads `sqlconf.php` and asks the database at every request, and holds nothing between two. */
export interface Application {
  /** Such as `http://127.0.0.1:40123`; no `/` at the end. */
  readonly url: string;
  /** Keeps a clinic at work; several may run at once. */
  write(options?: { readonly seed?: string; readonly pauseMs?: number }): Writing;
  /** Stops writers and server. Safe to repeat. */
  stop(): Promise<void>;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isInstalled = async (sitesPath: string): Promise<boolean> => {
  const path = join(sitesPath, "default/sqlconf.php");
  return (await exists(path)) && parseSqlconf(await readFile(path)).configured;
};

const withDatabase = async <Result>(
  sitesPath: string,
  ask: (connection: mysql.Connection) => Promise<Result>,
): Promise<Result> => {
  const connection = await connectAsSite(sitesPath);
  try {
    return await ask(connection);
  } finally {
    await connection.end();
  }
};

const hasOAuthSet = async (sitesPath: string, connection: mysql.Connection): Promise<boolean> => {
  const certificates = join(sitesPath, "default/documents/certificates");
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    "SELECT name FROM `keys` WHERE name IN ('oauth2key', 'oauth2passphrase')",
  );
  return (
    rows.length === 2 &&
    (await exists(join(certificates, "oaprivate.key"))) &&
    exists(join(certificates, "oapublic.key"))
  );
};

/** The body of OpenEMR's readiness probe; its HTTP status is 200 whatever it says. */
const readiness = async (sitesPath: string): Promise<unknown> => {
  try {
    if (!(await isInstalled(sitesPath))) return { status: "setup_required", checks: { installed: false } };
    return await withDatabase(sitesPath, async (connection) => {
      await connection.query("SELECT COUNT(*) FROM version");
      const filesystem = await exists(join(sitesPath, "default/documents"));
      const oauth = await hasOAuthSet(sitesPath, connection);
      const checks = { installed: true, database: true, filesystem, session: true, oauth_keys: oauth, cache: true };
      return { status: "ready", checks };
    });
  } catch (error) {
    return { status: "error", message: error instanceof Error ? error.message : "unknown" };
  }
};

/** The login page; when the database does not answer it is an error page, and still a 200. */
const loginPage = async (sitesPath: string): Promise<string> => {
  try {
    const version = await withDatabase(sitesPath, async (connection) => {
      const [[row]] = await connection.query<mysql.RowDataPacket[]>("SELECT v_major, v_minor, v_patch FROM version");
      return `${row?.v_major}.${row?.v_minor}.${row?.v_patch}`;
    });
    return `<form method="post"><input name="authUser"><input name="clearPass" type="password"></form><p>${version}</p>`;
  } catch {
    return "<h2>Query Error</h2><p>The database did not answer.</p>";
  }
};

const answer = async (sitesPath: string, path: string, response: ServerResponse): Promise<void> => {
  const json = (body: unknown, status = 200) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const redirect = (location: string) => response.writeHead(302, { location }).end();

  if (path === "/meta/health/livez") json({ status: "alive" });
  else if (path === "/meta/health/readyz") json(await readiness(sitesPath));
  else if (path.startsWith("/meta/health/")) json({ error: "not found" }, 404);
  else if (path === "/") {
    const page = (await isInstalled(sitesPath)) ? "interface/login/login.php" : "setup.php";
    redirect(`${page}?site=default`);
  } else if (path === "/interface/login/login.php") {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(await loginPage(sitesPath));
  } else response.writeHead(404).end();
};

/** Starts the stand-in on a port of 127.0.0.1 of its own. */
export const startApplication = async ({ sitesPath }: { readonly sitesPath: string }): Promise<Application> => {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    answer(sitesPath, pathname, response).catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const writers = new Set<Writing>();
  let stopped: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    write: ({ seed = "clinic at work", pauseMs = 5 } = {}) => {
      const writing = startWriting({ sitesPath, random: seededRandom(seed), clock: () => new Date(), pauseMs });
      writers.add(writing);
      return writing;
    },
    stop: () => {
      stopped ??= (async () => {
        for (const writing of writers) await writing.stop();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      })();
      return stopped;
    },
  };
};
