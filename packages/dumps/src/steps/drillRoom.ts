import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { DiskFullError, onThisMachine } from "@openemr-ops/core/errors";
import { formatBytes } from "@openemr-ops/core/format";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";

/** An estimate: rows with their keys may take twice the bytes of their SQL, and the server's logs come on top. */
const filesOfServer = 2.5;

/** Bytes that a drill of this dump writes below its directory, about. */
export const drillBytes = (
  { database, sites }: Readonly<Record<"database" | "sites", { readonly byteLength: number }>>,
  { drillDatabase }: { readonly drillDatabase?: unknown },
): number => sites.byteLength + (drillDatabase === "own" ? Math.ceil(database.byteLength * filesOfServer) : 0);

/** Of the disk that the directory is on, or will be. @throws the file system's own error */
export const freeBytesAt = async (directory: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    const above = dirname(directory);
    if (above === directory || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return freeBytesAt(above);
  }
};

/**
 * Makes sure that the disk for drills holds what a drill of this dump writes, before anything is fetched.
 *
 * @throws {DiskFullError} says how much is needed and what to set
 */
export const assertRoom = async (context: DumpContext, manifest: Manifest): Promise<void> => {
  const { drillDirectory } = context;
  const needed = drillBytes(manifest, context);
  const free = await onThisMachine("looking at the disk for drills", drillDirectory, () => freeBytesAt(drillDirectory));
  if (needed <= free) return;
  throw new DiskFullError(
    `a drill of dump ${manifest.dumpId} needs about ${formatBytes(needed)} at ${drillDirectory}, and ${formatBytes(free)} are free; nothing was fetched. Set dumps.drill.directory to a larger disk; on ECS set platform.task.drill.diskGiB to ${gibibytes(needed)} or more (200 at most)`,
  );
};

/** With room for caches and logs. */
const gibibytes = (bytes: number): number => Math.max(21, Math.ceil((bytes * 1.1) / 2 ** 30) + 1);
