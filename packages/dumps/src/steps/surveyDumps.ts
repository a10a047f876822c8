import type { OpsError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import { foreseeRetention } from "../foreseeRetention.ts";
import type { SourceWarning } from "../manifest.ts";
import type { RetentionPolicy } from "../retention.ts";
import { planRetention, type RetentionEntry } from "./applyRetention.ts";
import { assertNotLost } from "./assertNotLost.ts";
import { type ListedDump, lookAtDumps } from "./listDumps.ts";

/** A dump at the destination, with what its manifest says of its making. */
export interface SurveyedDump extends ListedDump {
  /** How long the dump took; absent where the manifest cannot be read. */
  readonly seconds?: number;
}

/** What retention would do with a dump, and when. */
export interface ForeseenEntry extends RetentionEntry {
  readonly action: "keep" | "delete";
  /** When it would go, if dumps go on at their pace; absent: it goes with the next run, or stays longer than 400 days. */
  readonly expectedAt?: string;
}

/** All that a report says of one store, from one listing of it. */
export interface DumpSurvey {
  /** Newest first. */
  readonly dumps: readonly SurveyedDump[];
  /** What the source lacked or had wrong when the newest complete dump was taken. */
  readonly warnings: readonly SourceWarning[];
  /** What retention would do, newest first; or why it could decide nothing here. */
  readonly retention: { readonly entries: readonly ForeseenEntry[] } | { readonly error: OpsError };
}

const newestFirst = (one: RetentionEntry, other: RetentionEntry): number =>
  one.takenAt === other.takenAt ? (one.dumpId < other.dumpId ? 1 : -1) : one.takenAt < other.takenAt ? 1 : -1;

/**
 * Lists a store once, and decides from that listing what retention would do. Writes nothing; needs no secret for the list,
 * and the store's own for retention.
 *
 * @param writer the kind of jobs that write there
 * @throws the `Destination…Error` family: the store could not be listed, or held dumps before and holds nothing now
 */
export const surveyDumps = async (
  context: DumpContext,
  policy: RetentionPolicy,
  writer: "dump" | "copy",
): Promise<DumpSurvey> => {
  const { dumps: found, unopened } = await lookAtDumps(context);
  if (found.length === 0) await assertNotLost(context, writer);
  const dumps = found.map(
    ({ listed, manifest }): SurveyedDump => ({ ...listed, ...(manifest ? { seconds: manifest.seconds } : {}) }),
  );
  const warnings = found.find(({ listed }) => listed.complete)?.manifest?.warnings ?? [];
  if (unopened) return { dumps, warnings, retention: { error: unopened } };
  const { keep, expire, counted } = await planRetention(context, policy, found);
  const ends = foreseeRetention(counted, policy, { now: context.now() });
  const entries = [
    ...keep.map((entry): ForeseenEntry => {
      const expectedAt = ends.get(entry.dumpId)?.toISOString();
      return { ...entry, action: "keep", ...(expectedAt === undefined ? {} : { expectedAt }) };
    }),
    ...expire.map((entry): ForeseenEntry => ({ ...entry, action: "delete" })),
  ].sort(newestFirst);
  return { dumps, warnings, retention: { entries } };
};
