import type { NotificationSettings } from "@openemr-ops/core/config/settings";
import { toOpsError } from "@openemr-ops/core/errors";
import type { JobListener, JobRecord } from "@openemr-ops/core/jobs";
import type { Channel } from "@openemr-ops/notifications/channel";
import { notifier } from "@openemr-ops/notifications/notifier";
import { failingJobs, reportedInvocations } from "./notified.ts";
import { type ChannelSurroundings, openChannels } from "./openChannels.ts";

/** Notifies the people of a configuration of jobs that no workflow runs. */
export interface Notifier {
  readonly channels: readonly Channel[];
  readonly listen: JobListener;
  /** As `listen`, and waits in any case. @returns the channels that accepted the notice */
  readonly told: (record: JobRecord) => Promise<readonly Channel[]>;
  /** Whether the start of a systemd unit with this identifier reported its failure by itself. Not known: no, with a warning. */
  readonly hasReported: (invocation: string | undefined) => Promise<boolean>;
}

/** Opens nothing yet. Without channels nothing is written either. */
export const openNotifier = (
  { stateDirectory, notifications }: NotificationSettings,
  surroundings: ChannelSurroundings,
): Notifier => {
  const { environment, now, warn } = surroundings;
  const channels = openChannels(notifications, surroundings);
  const invocations = reportedInvocations(stateDirectory, now);
  const { listen, told } = notifier(channels, {
    failing: failingJobs(stateDirectory),
    warn,
    failureTold: () => invocations.note(environment.MONITOR_INVOCATION_ID ?? environment.INVOCATION_ID),
  });
  const nobody = channels.length === 0;
  return {
    channels,
    listen: nobody ? async () => undefined : listen,
    told: nobody ? async () => [] : told,
    hasReported: async (invocation) => {
      try {
        return await invocations.has(invocation);
      } catch (failure) {
        const { name, message } = toOpsError(failure);
        warn(`whether the job reported its failure by itself is not known: ${name}: ${message}`);
        return false;
      }
    },
  };
};
