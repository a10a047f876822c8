import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { findTool } from "@openemr-ops/local/tools/findTool";
import type { ReadCluster } from "./api/rds.ts";

export interface ClusterLogin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/**
 * A database server in a cluster's place: its tables as RDS exports them, written by others' Parquet library.
 *
 * @throws {ToolMissingError} refused: Python with pyarrow is not installed
 */
export const readServerAsCluster =
  (login: ClusterLogin, directory: string): ReadCluster =>
  async (only) => {
    const python = findTool("analytics-python");
    if (python === undefined) throw new ToolMissingError("no Python for analytics: npm run tools -- --for test");
    const place = await mkdtemp(join(directory, "export-"));
    try {
      const child = spawn(python, [join(import.meta.dirname, "clusterFiles.py")], { stdio: "pipe" });
      child.stdin.end(JSON.stringify({ login, only, directory: place }));
      const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      if (code !== 0) throw new ToolFailedError(`reading the tables failed: ${errors.slice(-500)}`);
      const entries = await readdir(place, { recursive: true, withFileTypes: true });
      const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
      const files = paths.map(async (path) => ({ path: relative(place, path), body: await readFile(path) }));
      return { files: await Promise.all(files), tables: JSON.parse(said) };
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  };
