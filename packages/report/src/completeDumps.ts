import type { ReportedDump, ReportedStore } from "./report.ts";

/** Clocks of two machines may differ by so much. */
const tolerance = 10 * 60 * 1000;

const isComplete = ({ state }: ReportedDump): boolean => state === "complete" || state === "verified";

/** Whether a dump claims a moment that has not come: it is the newest of nothing. */
export const isFuture = ({ at }: ReportedDump, now: Date): boolean => Date.parse(at) > now.getTime() + tolerance;

/** Complete dumps of a store, newest first, without those that claim to be of the future. */
export const completeDumps = ({ dumps }: Pick<ReportedStore, "dumps">, now: Date): readonly ReportedDump[] =>
  dumps.filter((dump) => isComplete(dump) && !isFuture(dump, now));
