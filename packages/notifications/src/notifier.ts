import { toOpsError } from "@openemr-ops/core/errors";
import { hookProblem, type JobListener, type JobRecord } from "@openemr-ops/core/jobs";
import { type Channel, type Notice, occasionsOf } from "./channel.ts";

/** Keeps which kinds of jobs fail, so that the success after a failure is a recovery. */
export interface FailingJobs {
  /** Notes a failure; of several in a row the first one counts. */
  note(record: JobRecord): Promise<void>;
  /** When the kind began to fail, in ISO 8601 UTC; forgets it. `undefined` when it did not fail. */
  recover(record: JobRecord): Promise<string | undefined>;
}

export interface NotifierPorts {
  readonly failing: FailingJobs;
  readonly warn: (message: string) => void;
  /** Called once a channel has accepted the notice of a failure. */
  readonly failureTold: () => Promise<void>;
}

/**
 * Notifies people through all channels of a job's start and end. A channel that fails is a warning, never the job's failure.
 * The job does not wait for the notices of its start; its end waits until every channel has sent or failed.
 */
export const notifier = (
  channels: readonly Channel[],
  { failing, warn, failureTold }: NotifierPorts,
): { readonly listen: JobListener; readonly told: (record: JobRecord) => Promise<readonly Channel[]> } => {
  const queues = new Map<Channel, Promise<unknown>>();
  const quietly = async <Result>(work: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (failure) {
      const { name, message } = toOpsError(failure);
      warn(`notifications: ${name}: ${message}`);
      return undefined;
    }
  };

  const sendTo = async (channel: Channel, notice: Notice): Promise<boolean> => {
    try {
      await channel.send(notice);
      return true;
    } catch (failure) {
      const { name, message } = toOpsError(failure);
      warn(`${channel.field} reports a problem: ${name}: ${message}`);
      return false;
    }
  };

  const noticeOf = async (record: JobRecord): Promise<Notice> => {
    if (record.endedAt === undefined) return { record, occasions: occasionsOf(record, undefined) };
    const failed = record.status !== "succeeded" || hookProblem(record) !== undefined;
    const failingSince = await quietly(() =>
      failed ? failing.note(record).then(() => undefined) : failing.recover(record),
    );
    const since = failingSince === undefined ? {} : { failingSince };
    return { record, occasions: occasionsOf(record, failingSince), ...since };
  };

  /** Those that accepted the notice. */
  const told = async (record: JobRecord): Promise<readonly Channel[]> => {
    const notice = await noticeOf(record);
    const wanted = channels.filter((channel) => channel.wants(notice));
    const sent = await Promise.all(
      wanted.map((channel) => {
        const turn = (queues.get(channel) ?? Promise.resolve()).then(() => sendTo(channel, notice));
        queues.set(channel, turn);
        return turn;
      }),
    );
    const accepted = wanted.filter((_, index) => sent[index]);
    if (accepted.length > 0 && notice.occasions.includes("failure")) await quietly(failureTold);
    return accepted;
  };

  return {
    told,
    listen: async (record) => {
      const sending = told(record);
      if (record.endedAt !== undefined) await sending;
    },
  };
};
