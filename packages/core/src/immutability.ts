/** What a store has to protect: whatever was written, for so many days. */
export interface Immutability {
  readonly days: number;
  /** Of S3 Object Lock; not set, either. */
  readonly mode?: "governance" | "compliance" | undefined;
}

/** What somebody with certain credentials could do to an object, and what the store says of it. */
export interface ObservedProtection {
  /** Until when the store says that it keeps the object; absent where it says nothing. */
  readonly until?: Date | undefined;
  readonly mode?: "governance" | "compliance" | undefined;
  /** Why `until` is not known. */
  readonly unseen?: string | undefined;
  /** After which act the object could not be read any more as it was written; absent when it survived all of them. */
  readonly lostBy?: string | undefined;
}

/**
 * Writes an object of its own under this key, and tries all that would destroy it. What the store protects stays there until
 * its time is over.
 *
 * @throws the `Destination…Error` family: it could not even be written or read
 */
export type ObserveProtection = (key: string) => Promise<ObservedProtection>;

const dayMilliseconds = 24 * 3600 * 1000;
/** Clocks of a store and of this machine may differ by so much. */
const tolerance = 15 * 60 * 1000;

/** The end of a lock that begins now. */
export const lockedUntil = ({ days }: Immutability, from: Date): Date =>
  new Date(from.getTime() + days * dayMilliseconds);

/** Why the store does not protect what was written at `at` as it should, with the next step; `undefined` when it does. */
export const protectionProblem = (
  { until, mode, unseen, lostBy }: ObservedProtection,
  wanted: Immutability,
  at: Date,
): string | undefined => {
  if (lostBy !== undefined)
    return `the object is not protected from ${lostBy}: turn on Object Lock, or a retention policy, for ${wanted.days} days, and take the rights away that go around it`;
  if (until === undefined)
    return unseen
      ? `nobody destroyed the object, but until when the store keeps it cannot be seen (${unseen}): allow these credentials to read it`
      : `the store sets no time for which it keeps what is written: set a default retention of ${wanted.days} days for the bucket`;
  if (until.getTime() + tolerance < lockedUntil(wanted, at).getTime())
    return `the store keeps what is written until ${until.toISOString()} only: set a default retention of ${wanted.days} days for the bucket`;
  if (wanted.mode !== undefined && mode !== undefined && mode !== wanted.mode)
    return `the lock has the mode ${mode}: set the mode ${wanted.mode} in the bucket's default retention`;
  return undefined;
};
