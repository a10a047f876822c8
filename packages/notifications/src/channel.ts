import type { occasions } from "@openemr-ops/core/config/fields";
import { hookProblem, type JobRecord } from "@openemr-ops/core/jobs";

/** Why people are notified. `recovery`: a success after a failure of the same kind. */
export type Occasion = (typeof occasions)[number];

/** What people are notified of: one moment in the life of a job. */
export interface Notice {
  readonly record: JobRecord;
  readonly occasions: readonly Occasion[];
  /** Of a recovery: when the first failure before it was, in ISO 8601 UTC. */
  readonly failingSince?: string;
}

/** One way to notify people. No error message contains its secrets. */
export interface Channel {
  /** The setting that configures it, such as `notifications.ping[0]`. */
  readonly field: string;
  readonly wants: (notice: Notice) => boolean;
  /**
   * Sends within a time limit, with retries. Notices of one job come in order.
   *
   * @throws an error of `packages/core/src/errors.ts`
   */
  readonly send: (notice: Notice) => Promise<void>;
  /** Sends a test; answers a remark, or nothing. Throws as `send`. */
  readonly test: () => Promise<string | undefined>;
}

/** What channels can have in common. */
export interface ChannelFilter {
  readonly on: readonly Occasion[];
  readonly kinds?: readonly string[];
  readonly installations?: readonly string[];
}

/** Whether a channel is for a notice. */
export const wantedBy =
  ({ on, kinds, installations }: ChannelFilter) =>
  ({ record, occasions }: Notice): boolean =>
    occasions.some((occasion) => on.includes(occasion)) &&
    (kinds?.includes(record.kind) ?? true) &&
    (installations?.includes(record.installation) ?? true);

/** What a record gives people a reason for. A problem after complete work is a reason to look, as a failure is. */
export const occasionsOf = (record: JobRecord, failingSince: string | undefined): readonly Occasion[] => {
  if (record.endedAt === undefined) return ["start"];
  if (record.status !== "succeeded") return ["failure"];
  if (hookProblem(record) !== undefined) return ["success", "failure"];
  return failingSince === undefined ? ["success"] : ["success", "recovery"];
};
