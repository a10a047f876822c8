import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import { onThisMachine } from "@openemr-ops/core/errors";
import { type ChildEnd, runChild } from "@openemr-ops/files/child";

/** Another repository, for a command of restic that reads it too. */
export interface SourceRepository {
  /** What leads restic there, and opens it. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The command that makes a repository. One that cuts data as `like` does finds again what is copied from there. */
export const initAs = (like: SourceRepository | undefined): readonly string[] => [
  "init",
  ...(like ? ["--copy-chunker-params"] : []),
];

/**
 * Makes a new repository at a store of objects: restic makes one on this machine, and its objects, a key and the config,
 * are put at the destination. The config goes last: without it there is no repository.
 *
 * restic's own `init` asks the store whether the bucket exists. A role that may list one prefix alone is denied that, and
 * restic 0.14 fails there (github.com/restic/restic/issues/4085). This way needs the right to write and no other.
 *
 * @returns how restic ended; nothing was written when it failed
 */
export const putNewRepository = async (
  restic: string,
  destination: Destination,
  {
    password,
    signal,
    like,
  }: { readonly password: string; readonly signal: AbortSignal; readonly like?: SourceRepository | undefined },
): Promise<ChildEnd> => {
  const directory = await onThisMachine("making a directory for a new repository", `TMPDIR (${tmpdir()})`, () =>
    mkdtemp(join(tmpdir(), "openemr-ops-repository-")),
  );
  try {
    const environment = { ...like?.environment, RESTIC_REPOSITORY: directory, RESTIC_PASSWORD: password };
    const end = await runChild(restic, ["--no-cache", ...initAs(like)], { environment, signal });
    signal.throwIfAborted();
    if (end.code !== 0) return end;
    const keys = (await readdir(join(directory, "keys"))).map((name) => `keys/${name}`);
    for (const key of [...keys, "config"]) await destination.put(key, await readFile(join(directory, key)));
    return end;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
