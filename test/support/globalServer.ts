import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerAddress } from "@openemr-ops/local/servers/databaseServer";
import { findTool } from "@openemr-ops/local/tools/findTool";
import type { TestProject } from "vitest/node";
import { makeQuickRepository, type QuickRepository } from "./quickRepository.ts";
import { startServerOf } from "./serverStarters.ts";

declare module "vitest" {
  interface ProvidedContext {
    server: ServerAddress;
    /** Whose server it is; see `startServerOf`. */
    serverOf: string;
    quickRepository: QuickRepository;
  }
}

/** Starts the one database server that all tests of a project share; tests get their own schemas from `database.ts`. */
export default async (project: TestProject): Promise<() => Promise<void>> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-server-"));
  const server = await startServerOf(project.name, { directory });
  const { product, host, port, socket, user, password, caFile } = server;
  project.provide("server", { product, host, port, socket, user, password, ...(caFile ? { caFile } : {}) });
  project.provide("serverOf", project.name);
  project.provide("quickRepository", await makeQuickRepository(findTool("restic") ?? "restic"));
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
};
