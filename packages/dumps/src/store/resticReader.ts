import { once } from "node:events";
import type { Destination } from "@openemr-ops/core/destination";
import { InstallationBusyError, IntegrityError, type OpsError } from "@openemr-ops/core/errors";
import { awaitReader } from "@openemr-ops/files/byteSink";
import type { Child, ChildEnd, ChildSettings } from "@openemr-ops/files/child";
import type { StoreRun } from "./dumpStore.ts";
import { indexOf } from "./resticLocks.ts";
import type { ResticProgram } from "./resticProgram.ts";

/** What restic says when it may not or cannot put its lock there, in whichever words the reason follows. */
const noLock = (end: Pick<ChildEnd, "code" | "errors">): boolean =>
  end.code === 11 || /unable to create lock|already locked/i.test(end.errors);

type Failed = (doing: string, end: ChildEnd) => Promise<never>;

/**
 * Runs restic to read, with its lock where it gets one: then nobody tidies the repository up meanwhile. Where it gets none (a
 * program that died left its own, another one tidies up, the destination is read-only), it reads all the same and at once.
 */
export interface ResticReader {
  /** Runs it to its end. @returns also what names its failure */
  readonly end: (
    args: readonly string[],
    run: StoreRun,
    more?: ChildSettings,
  ) => Promise<{ readonly ended: ChildEnd & { readonly output: string }; readonly failed: Failed }>;
  /** Starts it and waits for its first bytes, or its end. */
  readonly start: (
    args: readonly string[],
    run: StoreRun,
  ) => Promise<{ readonly child: Child; readonly failed: Failed }>;
}

export const resticReader = (restic: ResticProgram, destination: Destination): ResticReader => {
  const damaged = (message: string) => new IntegrityError(message);
  const withLock: Failed = (doing, end) => restic.failed(doing, end, damaged);
  /** Without a lock others may take away what is read: that looks like damage, and is none. */
  const withoutLock = async (): Promise<Failed> => {
    const before = await indexOf(destination);
    return (doing, end) =>
      restic.failed(doing, end, damaged).catch(async (error: OpsError) => {
        if (!(error instanceof IntegrityError) || (await indexOf(destination)) === before) throw error;
        throw new InstallationBusyError(
          `${doing}: another program tidied the repository up meanwhile: give the same command again`,
          { cause: error },
        );
      });
  };

  return {
    end: async (args, run, more) => {
      const ended = await restic.end(args, run, more);
      if (ended.code === 0 || !noLock(ended)) return { ended, failed: withLock };
      const failed = await withoutLock();
      return { ended: await restic.end([...args, "--no-lock"], run, more), failed };
    },
    start: async (args, run) => {
      const child = await restic.start(args, run);
      child.stdin.end();
      awaitReader(child.stdout);
      await once(child.stdout, "readable").catch(() => undefined); // also at its end
      if (child.stdout.readableLength > 0) return { child, failed: withLock };
      const end = await child.ended;
      if (end.code === 0 || !noLock(end)) return { child, failed: withLock };
      const failed = await withoutLock();
      const again = await restic.start([...args, "--no-lock"], run);
      again.stdin.end();
      return { child: again, failed };
    },
  };
};
