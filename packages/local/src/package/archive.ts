import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { ToolFailedError } from "@openemr-ops/core/errors";

/**
 * Packs a tree into a `.tar.gz` whose bytes depend on nothing but names, contents and modes: entries are sorted, and times and
 * owners are the same for all.
 *
 * @param time seconds since 1970
 * @throws {ToolFailedError} fatal: GNU tar failed
 */
export const archive = async (directory: string, file: string, time: number): Promise<void> => {
  const args = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${time}`, "--mode=go-w"];
  const child = spawn("tar", [...args, "--format=gnu", "-C", dirname(directory), "-cf", "-", basename(directory)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  await pipeline(child.stdout, createGzip({ level: 9 }), createWriteStream(file));
  const [code] = await ended;
  if (code !== 0) throw new ToolFailedError(`tar ended with ${code}; see above`);
};
