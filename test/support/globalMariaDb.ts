import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MariaDbAddress, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    mariadb: MariaDbAddress;
  }
}

/** Starts the one MariaDB server that all integration tests share; tests get their own schemas from `database.ts`. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-mariadb-"));
  const server = await startMariaDb({ directory });
  const { host, port, socket, user, password } = server;
  project.provide("mariadb", { host, port, socket, user, password });
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
};
