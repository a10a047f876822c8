import { readOnce } from "@openemr-ops/core/config/secrets";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationMissingError,
  DestinationUnavailableError,
  IntegrityError,
  type OpsError,
  RepositoryPasswordError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import { type Child, type ChildEnd, type ChildSettings, runChild, startChild } from "@openemr-ops/files/child";
import type { StoreRun } from "./dumpStore.ts";
import { processNotes } from "./ownProcesses.ts";
import { repositoryObjects } from "./repositoryObjects.ts";
import { isInVain, isRetry, resticError, resticWords } from "./resticErrors.ts";
import type { ResticLocation } from "./resticLocation.ts";
import { type ResticRelease, resticRelease } from "./resticRelease.ts";

export interface ResticSettings {
  readonly restic: string;
  readonly installation: string;
  readonly location: ResticLocation;
  readonly readPassword: () => Promise<string>;
  /** Not set: restic keeps no cache. */
  readonly cacheDirectory?: string | undefined;
  /** The repository's own directory or bucket, to look at its objects. */
  readonly destination: Destination;
}

type ErrorOf = (message: string) => OpsError;

/** restic on one repository. No release that is too old ever sees it; the password is read when it is first needed. */
export interface ResticProgram {
  readonly release: () => Promise<ResticRelease>;
  readonly password: () => Promise<string>;
  readonly start: (args: readonly string[], run: StoreRun, more?: ChildSettings) => Promise<Child>;
  /** Runs it to its end, whatever that is. */
  readonly end: (
    args: readonly string[],
    run: StoreRun,
    more?: ChildSettings,
  ) => Promise<ChildEnd & { readonly output: string }>;
  /** Runs it to a good end. @returns what it printed. @throws what `failed` throws */
  readonly run: (doing: string, args: readonly string[], run: StoreRun) => Promise<string>;
  /** Names a failure of it. `otherwise` makes the error that no other name fits. */
  readonly failed: (doing: string, end: ChildEnd, otherwise?: ErrorOf) => Promise<never>;
}

/** Commands that only jobs run that hold our lock on the repository. */
const writers: ReadonlySet<string> = new Set(["backup", "copy", "forget", "prune", "check"]);

export const resticProgram = (settings: ResticSettings): ResticProgram => {
  const { location, destination } = settings;
  const { assertNames, assertOpenable } = repositoryObjects(destination);
  let found: Promise<ResticRelease> | undefined;
  const release = () => (found ??= resticRelease(settings.restic));
  const password = readOnce(settings.readPassword);

  const cache = location.cached && settings.cacheDirectory ? ["--cache-dir", settings.cacheDirectory] : ["--no-cache"];
  const notes = processNotes(destination, settings.installation);
  /** The arguments and the settings of one run, and what is left to do when it has ended. */
  const prepared = async (
    args: readonly string[],
    { signal, progress }: StoreRun,
    more: ChildSettings = {},
  ): Promise<{
    readonly run: readonly [readonly string[], ChildSettings];
    readonly done: () => Promise<void>;
  }> => {
    await release(); // an unsupported restic never sees the repository
    const secret = await password();
    const { repository, options, environment, release: removeFiles = async () => {} } = await location.access();
    const refused = new AbortController();
    const child = {
      ...more,
      onErrorLine: (line: string) => {
        if (isInVain(line))
          refused.abort(); // restic would try again and again
        else if (isRetry(line)) progress({ step: "destination", detail: "a request failed, restic tries it again" });
        more.onErrorLine?.(line);
      },
      ...(writers.has(args[0] ?? "") ? { onStarted: notes.add } : {}),
      environment: {
        ...environment,
        ...more.environment,
        RESTIC_REPOSITORY: repository,
        RESTIC_PASSWORD: secret,
        RESTIC_PROGRESS_FPS: "1",
      },
      signal: AbortSignal.any([signal, refused.signal]),
    };
    const done = async () => {
      await removeFiles();
      await notes.settled();
    };
    return { run: [[...options, ...cache, ...args], child], done };
  };

  /**
   * Damage has many faces: a spoiled key looks like a wrong password, a missing config like a missing repository, a pack
   * that is cut short like a broken connection. Where restic's word leaves that open, the objects themselves tell.
   */
  const failed = async (doing: string, end: ChildEnd, otherwise?: ErrorOf): Promise<never> => {
    const { cacheDirectory } = settings;
    const error = resticError(doing, end, { otherwise, cacheDirectory });
    const cutOff = error instanceof DestinationUnavailableError && /EOF/.test(resticWords(end.errors));
    const open = [RepositoryPasswordError, DestinationMissingError, ToolFailedError].some(
      (kind) => error instanceof kind,
    );
    if (end.signal === null && (open || cutOff)) {
      const look = async () => {
        await assertOpenable();
        for (const folder of ["keys/", "snapshots/", "index/", ...(cutOff ? (["data/"] as const) : [])] as const)
          await assertNames(folder);
      };
      await look().catch((found: unknown) => {
        throw found instanceof IntegrityError ? found : error;
      });
    }
    throw error;
  };

  const start = async (args: readonly string[], run: StoreRun, more?: ChildSettings): Promise<Child> => {
    const ready = await prepared(args, run, more);
    try {
      const child = startChild(settings.restic, ...ready.run);
      const ended = child.ended.finally(ready.done);
      ended.catch(() => {}); // whoever waits for it sees why it did not start
      return { ...child, ended };
    } catch (error) {
      await ready.done();
      throw error;
    }
  };
  const end = async (args: readonly string[], run: StoreRun, more?: ChildSettings) => {
    const ready = await prepared(args, run, more);
    const ended = await runChild(settings.restic, ...ready.run).finally(ready.done);
    run.signal.throwIfAborted();
    return ended;
  };
  return {
    release,
    password,
    start,
    end,
    run: async (doing, args, run) => {
      const ended = await end(args, run);
      return ended.code === 0 ? ended.output : failed(doing, ended);
    },
    failed,
  };
};
