import { ulidTime } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import { manifestKey } from "../manifest.ts";
import { decideRetention, type RetentionPolicy } from "../retention.ts";
import { removeVerifications } from "../verification.ts";
import { findDumps } from "./listDumps.ts";
import { runJob } from "./runJob.ts";
import { underLock } from "./underLock.ts";

export interface RetentionEntry {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly reasons: readonly string[];
}

export interface RetentionResult {
  readonly dryRun: boolean;
  readonly keep: readonly RetentionEntry[];
  readonly expire: readonly RetentionEntry[];
  /** Parts of runs that never came to a manifest, older than a day. */
  readonly orphans: readonly string[];
}

const orphanAgeMilliseconds = 24 * 3600 * 1000;

/**
 * Removes what the policy does not ask to keep: the manifest first, so that a run that stops half-way leaves no dump that
 * looks whole and is not; then its parts; then the space. Damaged dumps are kept for a person to look at.
 *
 * The newest verified and the newest complete dump always stay. Safe to repeat; `dryRun` writes nothing.
 */
export const applyRetention = (
  context: DumpContext,
  policy: RetentionPolicy,
  dryRun: boolean,
): Promise<RetentionResult> =>
  runJob(context, "retention", dryRun, async (jobId) => {
    const carryOut = async (run: DumpContext): Promise<RetentionResult> => {
      const found = await findDumps(context);
      const damaged = found.filter(({ listed }) => !listed.complete);
      const sound = found.filter(({ listed }) => listed.complete).map(({ listed }) => listed);
      const decision = decideRetention(
        sound.map(({ dumpId, takenAt, verified }) => ({
          dumpId,
          takenAt: new Date(takenAt),
          complete: true,
          ...(verified && verified.level !== "objects" ? { verifiedAt: new Date(verified.at) } : {}),
        })),
        policy,
        { now: context.now() },
      );
      const timeOf = new Map(found.map(({ listed }) => [listed.dumpId, listed.takenAt]));
      const entry = ({
        dumpId,
        reasons,
      }: {
        readonly dumpId: string;
        readonly reasons: readonly string[];
      }): RetentionEntry => ({
        dumpId,
        takenAt: timeOf.get(dumpId) ?? "",
        reasons,
      });
      const known = new Set(found.map(({ listed }) => listed.dumpId));
      const present = context.store.format === "restic" ? await context.destination.describe("config") : true;
      const orphans = (present ? await context.store.orphans(known, run) : [])
        .map(({ dumpId }) => dumpId)
        .filter((dumpId) => context.now().getTime() - ulidTime(dumpId).getTime() > orphanAgeMilliseconds);
      const result: RetentionResult = {
        dryRun,
        keep: [
          ...decision.keep.map(entry),
          ...damaged.map(({ listed }) =>
            entry({
              dumpId: listed.dumpId,
              reasons: [`not complete, kept for a person to look at: ${listed.problem}`],
            }),
          ),
        ],
        expire: decision.expire.map(entry),
        orphans,
      };
      if (dryRun) return result;
      await context.store.recover(run);
      const gone = [...orphans, ...result.expire.map(({ dumpId }) => dumpId)];
      for (const dumpId of gone) {
        run.signal.throwIfAborted();
        await context.destination.delete(manifestKey(context.installation, dumpId));
        await removeVerifications(context.destination, context.installation, dumpId);
      }
      if (gone.length > 0) {
        await context.store.remove(
          gone.map((dumpId) => ({ dumpId, parts: [] })),
          run,
        );
        await context.store.reclaim(run);
      }
      return result;
    };
    const result = await (dryRun ? carryOut(context) : underLock(context, "dump-repository", jobId, carryOut));
    return {
      result,
      figures: { keep: result.keep.length, expire: result.expire.length, orphans: result.orphans.length },
    };
  });
