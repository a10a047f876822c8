/** How many dumps to keep: the newest ones, and the newest of each of so many days, weeks, months and years that have any. */
export interface RetentionPolicy {
  readonly keepLast: number;
  readonly keepDaily: number;
  readonly keepWeekly: number;
  readonly keepMonthly: number;
  readonly keepYearly: number;
}

export interface RetainedDump {
  readonly dumpId: string;
  readonly takenAt: Date;
  /** Its manifest is there. */
  readonly complete: boolean;
  /** Of a check that is proven to be noted by us. */
  readonly verifiedAt?: Date | undefined;
  /** The store keeps it until then, whatever is deleted. */
  readonly lockedUntil?: Date | undefined;
  /** A note says so that anybody may have written: it keeps a dump and lets no other go. */
  readonly saidToBeVerified?: boolean;
}

/** Clocks of two machines may differ by so much. */
const clockTolerance = 10 * 60 * 1000;

/** Whether a dump claims a moment that has not come: under a wrong clock it would be the newest for as long as that lasts. */
export const isFuture = (takenAt: Date, now: Date): boolean => takenAt.getTime() > now.getTime() + clockTolerance;

export interface RetentionEntry {
  readonly dumpId: string;
  /** In words for an operator; never empty. */
  readonly reasons: readonly string[];
}

/** Every dump is in exactly one of the two, newest first. */
export interface RetentionDecision {
  readonly keep: readonly RetentionEntry[];
  readonly expire: readonly RetentionEntry[];
}

const dayMilliseconds = 24 * 3600 * 1000;

/** Year and week by ISO 8601, in UTC: a week belongs to the year of its Thursday. */
const isoWeek = (date: Date): string => {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return `${thursday.getUTCFullYear()}-W${Math.floor((thursday.getTime() - first) / (7 * dayMilliseconds)) + 1}`;
};

interface Bucket {
  readonly count: number;
  readonly reason: string;
  readonly nameOf: (dump: RetainedDump) => string;
}

const bucketsOf = (policy: RetentionPolicy): readonly Bucket[] => [
  { count: policy.keepLast, reason: "last", nameOf: ({ dumpId }) => dumpId },
  { count: policy.keepDaily, reason: "daily", nameOf: ({ takenAt }) => takenAt.toISOString().slice(0, -14) },
  { count: policy.keepWeekly, reason: "weekly", nameOf: ({ takenAt }) => isoWeek(takenAt) },
  { count: policy.keepMonthly, reason: "monthly", nameOf: ({ takenAt }) => takenAt.toISOString().slice(0, -17) },
  { count: policy.keepYearly, reason: "yearly", nameOf: ({ takenAt }) => takenAt.toISOString().slice(0, -20) },
];

/** Reasons of one rule. A rule with counts left keeps the oldest dump too, so that a young history reaches back as far as it can. */
const keptBy = ({ count, reason, nameOf }: Bucket, newestFirst: readonly RetainedDump[]): Map<string, string> => {
  const kept = new Map<string, string>();
  let last: string | undefined;
  for (const [index, dump] of newestFirst.entries()) {
    if (kept.size >= count) break;
    const name = nameOf(dump);
    if (name !== last) kept.set(dump.dumpId, reason);
    else if (index === newestFirst.length - 1) kept.set(dump.dumpId, `oldest ${reason}`);
    last = name;
  }
  return kept;
};

const newestFirst = (one: RetainedDump, other: RetainedDump): number =>
  other.takenAt.getTime() - one.takenAt.getTime() || (one.dumpId < other.dumpId ? 1 : -1);

/**
 * Decides which dumps to keep and which to expire, with the reasons. It deletes nothing; the same input gives the same answer.
 *
 * The counts mean what `restic forget --keep-last/-daily/-weekly/-monthly/-yearly` means by them (restic 0.16 and later,
 * UTC, ISO weeks), over complete dumps alone. Beyond that the newest complete and the newest verified dump always stay; a
 * policy of zeros keeps everything; a dump stays as long as the store keeps it anyway; an incomplete dump goes when it is older than a day, until then it may still be
 * running. A dump of the future stays, and takes no place of another.
 */
export const decideRetention = (
  dumps: readonly RetainedDump[],
  policy: RetentionPolicy,
  { now }: { readonly now: Date },
): RetentionDecision => {
  const sorted = [...dumps].sort(newestFirst);
  const complete = sorted.filter((dump) => dump.complete && !isFuture(dump.takenAt, now));
  const rules = bucketsOf(policy).map((bucket) => keptBy(bucket, complete));
  const keepsAll = bucketsOf(policy).every(({ count }) => count === 0);
  const newest = complete[0];
  const newestVerified = complete.find(({ verifiedAt }) => verifiedAt !== undefined);
  const newestSaid = complete.find(({ saidToBeVerified }) => saidToBeVerified);

  const reasonsFor = (dump: RetainedDump): readonly string[] => {
    if (!dump.complete) {
      const age = now.getTime() - dump.takenAt.getTime();
      return age > dayMilliseconds ? [] : ["incomplete, may still be running"];
    }
    if (isFuture(dump.takenAt, now)) return ["taken in the future: a clock was wrong then, or is now"];
    return [
      ...rules.map((kept) => kept.get(dump.dumpId)).filter((reason) => reason !== undefined),
      ...(keepsAll ? ["policy is empty"] : []),
      ...(dump.lockedUntil && dump.lockedUntil > now
        ? [`the store keeps it until ${dump.lockedUntil.toISOString()}`]
        : []),
      ...(dump === newest ? ["newest complete"] : []),
      ...(dump === newestVerified ? ["newest verified"] : []),
      ...(dump === newestSaid && dump !== newestVerified
        ? ["newest with a note of verification that bears no seal"]
        : []),
    ];
  };

  const entries = sorted.map((dump) => ({ dump, reasons: reasonsFor(dump) }));
  return {
    keep: entries
      .filter(({ reasons }) => reasons.length > 0)
      .map(({ dump, reasons }) => ({ dumpId: dump.dumpId, reasons })),
    expire: entries
      .filter(({ reasons }) => reasons.length === 0)
      .map(({ dump }) => ({
        dumpId: dump.dumpId,
        reasons: [dump.complete ? "no rule keeps it" : "incomplete and older than a day"],
      })),
  };
};
