import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { IntegrityError, ToolFailedError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "../tools/findTool.ts";
import { lockedPackages } from "./lockfile.ts";

export const processors = ["x64", "arm64"] as const;
export type Processor = (typeof processors)[number];

const must = (command: string, args: readonly string[], cwd: string): void => {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new ToolFailedError(`${command} ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
};

/**
 * The package with Node for a processor: the one that is installed here, or the lockfile's for another processor, which npm
 * fetches into `scratch`.
 *
 * @throws {ToolFailedError} fatal: it cannot be fetched
 * @throws {IntegrityError} damage: it is not what the lockfile names
 */
export const nodeFor = (processor: Processor, scratch: string): { place: string; directory: string } => {
  const name = `node-linux-${processor}`;
  const place = `node_modules/${name}`;
  if (processor === process.arch) return { place, directory: join(repositoryRoot, place) };
  const { version, integrity } = lockedPackages[place] ?? {};
  must("npm", ["pack", `${name}@${version}`, "--pack-destination", scratch], scratch);
  const archive = join(scratch, readdirSync(scratch).find((file) => file.endsWith(".tgz")) ?? "");
  if (`sha512-${hash("sha512", readFileSync(archive), "base64")}` !== integrity)
    throw new IntegrityError(`${name}@${version} is not the package that the lockfile names`);
  must("tar", ["-xzf", archive, "-C", scratch], scratch);
  return { place, directory: join(scratch, "package") };
};
