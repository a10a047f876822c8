import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, createReadStream, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ToolFailedError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "../tools/findTool.ts";
import type { PackagedEntry } from "./contents.ts";

/** Shells and where their scripts of completion belong, below `share`. */
const completions = {
  bash: "bash-completion/completions/openemr-ops",
  zsh: "zsh/site-functions/_openemr-ops",
} as const;

/** Digest of a file, in lower-case hex. */
export const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
};

const completionFor = (shell: string): string => {
  const command = join(repositoryRoot, "packages/cli/bin/openemr-ops");
  const { status, stdout, stderr } = spawnSync(command, ["completion", shell], { encoding: "utf8" });
  if (status !== 0) throw new ToolFailedError(`openemr-ops completion ${shell} failed: ${stderr.trim()}`);
  return stdout;
};

/**
 * Writes the package as a tree, with `release`, which says what it is, and `SHA256SUMS`, which lists its files. Times are those
 * of this run; the archive sets its own.
 *
 * @param directory an empty directory
 * @param release names and values, such as the version
 */
export const layOut = async (
  directory: string,
  entries: readonly PackagedEntry[],
  release: Readonly<Record<string, string>>,
): Promise<void> => {
  const sums = new Map<string, string>();
  const place = (at: string): string => {
    const path = join(directory, at);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return path;
  };
  const written = async (at: string, mode: number): Promise<void> => {
    chmodSync(join(directory, at), mode);
    sums.set(at, await sha256Of(join(directory, at)));
  };
  for (const entry of entries) {
    const path = place(entry.at);
    if ("target" in entry) {
      symlinkSync(entry.target, path);
      continue;
    }
    copyFileSync(entry.from, path);
    await written(entry.at, entry.executable ? 0o755 : 0o644);
  }
  const texts = {
    release: Object.entries(release)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
    ...Object.fromEntries(Object.entries(completions).map(([shell, at]) => [`share/${at}`, completionFor(shell)])),
  };
  for (const [at, text] of Object.entries(texts)) {
    writeFileSync(place(at), text);
    await written(at, 0o644);
  }
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, sum]) => `${sum}  ${at}\n`);
  writeFileSync(join(directory, "SHA256SUMS"), lines.join(""), { mode: 0o644 });
};
