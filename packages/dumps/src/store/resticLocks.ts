import { hostname } from "node:os";
import { basename } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import * as z from "zod";
import type { StoreRun } from "./dumpStore.ts";
import { readNote } from "./ownProcesses.ts";
import type { ResticProgram } from "./resticProgram.ts";

/** As restic writes it; source: doc/design.rst, "Locks". */
const LockFile = z.object({ hostname: z.string(), pid: z.number() });

const lockIds = async (destination: Destination): Promise<readonly string[]> => {
  const ids: string[] = [];
  for await (const { key } of destination.list("locks/")) ids.push(basename(key));
  return ids;
};

/**
 * Removes locks of programs that are dead. restic itself knows of those of this host, and of those that nobody renewed for
 * half an hour. Of a restic on another host, that jobs of this installation started to write, our own lock tells: such
 * a job holds it, and now the caller does, so it is over. A lock that anyone else made stays: that program may still run.
 *
 * The caller holds our lock on the repository.
 */
export const removeDeadLocks = async (
  restic: ResticProgram,
  { destination, installation }: { readonly destination: Destination; readonly installation: string },
  run: StoreRun,
): Promise<void> => {
  if ((await lockIds(destination)).length === 0) return;
  await restic.run("removing dead locks", ["unlock"], run);
  const left = await lockIds(destination);
  if (left.length === 0) return;
  const ours = await readNote(destination, installation);
  for (const id of left) {
    const end = await restic.end(["cat", "lock", id, "--no-lock"], run);
    const lock = end.code === 0 ? LockFile.safeParse(JSON.parse(end.output)).data : undefined;
    if (!lock || lock.hostname === hostname()) continue;
    if (ours.some(({ host, pid }) => host === lock.hostname && pid === lock.pid))
      await destination.delete(`locks/${id}`);
  }
};

/** What the repository's index consists of: it is another one as soon as somebody tidies up. */
export const indexOf = async (destination: Destination): Promise<string> => {
  const names: string[] = [];
  for await (const { key } of destination.list("index/")) names.push(key);
  return names.join("\n");
};
