import { decideRetention, isFuture, type RetainedDump, type RetentionPolicy } from "./retention.ts";

const hour = 3600 * 1000;
const day = 24 * hour;
/** How far it looks. What stays longer has no date. */
const horizon = 400 * day;

/** The usual time between two dumps: the median of the last 14 gaps; a day where there is nothing to go by. Milliseconds. */
const paceOf = (newestFirst: readonly RetainedDump[], now: Date): number => {
  const moments = newestFirst
    .filter(({ takenAt }) => !isFuture(takenAt, now))
    .slice(0, 15)
    .map(({ takenAt }) => takenAt.getTime());
  const gaps = moments.slice(1).map((moment, index) => (moments[index] ?? moment) - moment);
  const median = gaps.sort((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? day;
  return Math.min(Math.max(median, hour), 31 * day);
};

/**
 * When each dump would be deleted that the policy keeps today, if dumps go on at their pace and retention runs after each
 * of them. A dump that has no date stays longer than 400 days. None of the dumps to come is taken to be verified, so the
 * newest verified one stays. It reads and deletes nothing; the same input gives the same answer.
 *
 * @param kept what `decideRetention` keeps now
 */
export const foreseeRetention = (
  kept: readonly RetainedDump[],
  policy: RetentionPolicy,
  { now }: { readonly now: Date },
): ReadonlyMap<string, Date> => {
  const newestFirst = [...kept].sort((one, other) => other.takenAt.getTime() - one.takenAt.getTime());
  const pace = paceOf(newestFirst, now);
  const real = new Set(kept.map(({ dumpId }) => dumpId));
  const ends = new Map<string, Date>();
  let present = newestFirst;
  for (let step = 1; step * pace <= horizon && ends.size < real.size; step++) {
    const at = new Date(now.getTime() + step * pace);
    present = [{ dumpId: `to come ${step}`, takenAt: at, complete: true }, ...present];
    const expired = new Set(decideRetention(present, policy, { now: at }).expire.map(({ dumpId }) => dumpId));
    for (const dumpId of expired) if (real.has(dumpId)) ends.set(dumpId, at);
    present = present.filter(({ dumpId }) => !expired.has(dumpId));
  }
  return ends;
};
