import { mkdir } from "node:fs/promises";
import type { DumpContext } from "../context.ts";
import type { DatabaseAccess } from "../database/access.ts";
import { loadDatabase } from "../database/loadDatabase.ts";
import type { ProgramSection } from "../database/sqlScanner.ts";
import type { Manifest } from "../manifest.ts";

/** Loads both halves side by side; each half can be resumed by the same call. Seconds of each half. */
export const loadParts = async (
  context: DumpContext,
  manifest: Manifest,
  access: DatabaseAccess,
  directory: string | undefined,
  options: {
    readonly skip?: readonly ProgramSection[];
    readonly onProgram?: (section: ProgramSection, chunk: Buffer) => void;
  } = {},
): Promise<{ readonly database: number; readonly sites: number; readonly restore: number }> => {
  const halves = new AbortController();
  const run = { signal: AbortSignal.any([context.signal, halves.signal]), progress: context.progress };
  const began = Date.now();
  const timed = async (work: Promise<void>) => {
    await work;
    return (Date.now() - began) / 1000;
  };
  const database = timed(
    context.store.readDatabase(
      manifest.database.part,
      (stream) => loadDatabase(access, manifest, stream, { mariadb: context.tools.mariadb, ...run, ...options }),
      run,
    ),
  );
  const sites = timed(
    (async () => {
      if (directory === undefined) return;
      await mkdir(directory, { recursive: true });
      await context.store.restoreSites(manifest.sites.part, directory, run);
    })(),
  );
  const stop = (error: unknown) => halves.abort(error);
  database.catch(stop);
  sites.catch(stop);
  await Promise.allSettled([database, sites]);
  if (halves.signal.aborted) throw halves.signal.reason;
  return { database: await database, sites: await sites, restore: (Date.now() - began) / 1000 };
};
