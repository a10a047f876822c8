import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { quickenRepositoryKey } from "./quickRepositoryKey.ts";

/** What tests use for a repository, and never find in what the program writes. */
export const aRepositoryPassword = "canary-repository-77c1";

/** Contents of an empty repository's files by their paths, Base64. */
export type QuickRepository = Readonly<Record<string, string>>;

/**
 * A new repository that opens with this password in a millisecond. restic works half a second on the password of its own at
 * each start, and longer to make a repository.
 *
 * @param restic path of the program that makes it
 */
export const makeQuickRepository = async (restic: string): Promise<QuickRepository> => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-quick-"));
  try {
    const environment = { RESTIC_REPOSITORY: directory, RESTIC_PASSWORD: aRepositoryPassword };
    execFileSync(restic, ["--no-cache", "--quiet", "init"], { env: environment });
    await quickenRepositoryKey(fileDestination(directory), aRepositoryPassword);
    const keys = readdirSync(join(directory, "keys")).map((name) => `keys/${name}`);
    const read = (path: string) => readFileSync(join(directory, path)).toString("base64");
    return Object.fromEntries(["config", ...keys].map((path) => [path, read(path)]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Puts it into a directory, unless there is one of that name. */
export const putQuickRepository = (directory: string, files: QuickRepository): void => {
  if (existsSync(directory)) return;
  for (const name of ["data", "index", "keys", "locks", "snapshots"])
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  for (const [path, content] of Object.entries(files))
    writeFileSync(join(directory, path), Buffer.from(content, "base64"), { mode: 0o400 });
};
