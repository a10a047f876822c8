import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseServer, ServerAddress, ServerSettings } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { mariaDb118OfDebian, mysqlOfDebian } from "@openemr-ops/local/tools/otherServers";
import type { TestProject } from "vitest/node";
import { makeQuickRepository, type QuickRepository } from "./quickRepository.ts";

declare module "vitest" {
  interface ProvidedContext {
    server: ServerAddress;
    quickRepository: QuickRepository;
  }
}

/** By the project's name. The other servers take connections with TLS alone, as managed ones are set up. */
const starters: Readonly<Record<string, (settings: ServerSettings) => Promise<DatabaseServer>>> = {
  integration: startMariaDb,
  [mariaDb118OfDebian.name]: (settings) => startMariaDb({ ...settings, release: "11.8", tls: true }),
  [mysqlOfDebian.name]: (settings) =>
    startMySql({ ...settings, tls: true, extraArguments: ["--log-bin-trust-function-creators=ON"] }),
};

/** Starts the one database server that all tests of a project share; tests get their own schemas from `database.ts`. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-server-"));
  const server = await (starters[project.name] ?? startMariaDb)({ directory });
  const { product, host, port, socket, user, password, caFile } = server;
  project.provide("server", { product, host, port, socket, user, password, ...(caFile ? { caFile } : {}) });
  project.provide("quickRepository", await makeQuickRepository(findTool("restic") ?? "restic"));
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
};
