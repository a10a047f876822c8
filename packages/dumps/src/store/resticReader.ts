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

/**
 * What restic says of a lock that was listed and is gone when it is read: a restic that ended meanwhile took it away. Some
 * releases try to read it for a minute (0.14: 45 seconds), before they read anything else.
 */
const isVanishedLock = (line: string): boolean => /^Load\(<lock\/[0-9a-f]+>/.test(line);

/** So often it is started with its lock; a lock that stays and cannot be read would stop it every time. */
const startsWithLock = 3;

type Failed = (doing: string, end: ChildEnd) => Promise<never>;

/**
 * Runs restic to read, with its lock where it gets one: then nobody tidies the repository up meanwhile. Where it gets none (a
 * program that died left its own, another one tidies up, the destination is read-only), it reads all the same and at once. Where a
 * lock of another restic vanished while this one looked at it, it is started again: several of ours read at the same time.
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

  /** A run that ends as soon as it would wait for a lock that is gone. */
  const watched = (run: StoreRun, more: ChildSettings = {}) => {
    const vanished = new AbortController();
    let begun = false;
    const onErrorLine = (line: string): void => {
      if (!isVanishedLock(line))
        begun = true; // it complains of what it works on
      else if (!begun) vanished.abort();
      more.onErrorLine?.(line);
    };
    return {
      run: { ...run, signal: AbortSignal.any([run.signal, vanished.signal]) },
      more: { ...more, onErrorLine },
      hasVanished: () => vanished.signal.aborted && !run.signal.aborted,
      /** It reads what it was asked for, so that nothing stops it any more. */
      begin: () => {
        begun = true;
      },
    };
  };

  const endWithLock = async (args: readonly string[], run: StoreRun, more?: ChildSettings) => {
    for (let start = 0; start < startsWithLock; start += 1) {
      const watch = watched(run, more);
      try {
        const ended = await restic.end(args, watch.run, watch.more);
        return ended.code === 0 || !noLock(ended) ? ended : undefined;
      } catch (error) {
        run.signal.throwIfAborted();
        if (!watch.hasVanished()) throw error;
      }
    }
    return undefined;
  };

  const startWithLock = async (args: readonly string[], run: StoreRun): Promise<Child | undefined> => {
    for (let start = 0; start < startsWithLock; start += 1) {
      const watch = watched(run);
      const child = await restic.start(args, watch.run, watch.more);
      child.stdin.end();
      awaitReader(child.stdout);
      await once(child.stdout, "readable").catch(() => undefined); // also at its end
      watch.begin();
      if (child.stdout.readableLength > 0) return child;
      const end = await child.ended;
      if (watch.hasVanished()) continue;
      return end.code === 0 || !noLock(end) ? child : undefined;
    }
    return undefined;
  };

  return {
    end: async (args, run, more) => {
      const ended = await endWithLock(args, run, more);
      if (ended) return { ended, failed: withLock };
      const failed = await withoutLock();
      return { ended: await restic.end([...args, "--no-lock"], run, more), failed };
    },
    start: async (args, run) => {
      const child = await startWithLock(args, run);
      if (child) return { child, failed: withLock };
      const failed = await withoutLock();
      const again = await restic.start([...args, "--no-lock"], run);
      again.stdin.end();
      return { child: again, failed };
    },
  };
};
