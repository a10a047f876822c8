import { lastDue } from "@openemr-ops/core/cron";
import type { JobRecord } from "@openemr-ops/core/jobs";
import type { OverdueRequest } from "@openemr-ops/events/workflowSteps";
import type { JobPorts } from "./ports.ts";

type Schedule = OverdueRequest["schedules"][number];

/** A due time whose deadline has passed without a success. */
export interface Overdue {
  readonly kind: Schedule["kind"];
  readonly dueAt: Date;
  readonly deadlineAt: Date;
  readonly lastSuccess?: LastSuccess;
}

export interface LastSuccess {
  readonly jobId: string;
  readonly endedAt: string;
}

/** So many of the newest records decide; a month has some hundreds. */
export const recordsRead = 1000;

/** The last job of a kind that succeeded. A dry run does not count. */
export const lastSuccessOf = (kind: Schedule["kind"], records: readonly JobRecord[]): LastSuccess | undefined =>
  records
    .flatMap(({ jobId, kind: other, status, dryRun, endedAt }) =>
      other === kind && status === "succeeded" && !dryRun && endedAt !== undefined ? [{ jobId, endedAt }] : [],
    )
    .sort((one, other) => Date.parse(other.endedAt) - Date.parse(one.endedAt))[0];

/**
 * Whether a schedule's last due time with a deadline in the past is overdue. Every success since that time counts, also of a
 * job that a person started, but not of a dry run. `since` is when the schedule was deployed: nothing was due before, unless
 * such jobs had already run and so the deployment was not the first.
 */
export const overdueAt = (schedule: Schedule, records: readonly JobRecord[], now: Date): Overdue | undefined => {
  const patience = schedule.deadlineMinutes * 60_000;
  const dueAt = lastDue(schedule, new Date(now.getTime() - patience));
  if (!dueAt) return undefined;
  const ranBefore = records.some(({ kind, requestedAt }) => kind === schedule.kind && new Date(requestedAt) < dueAt);
  if (dueAt < new Date(schedule.since) && !ranBefore) return undefined;
  const lastSuccess = lastSuccessOf(schedule.kind, records);
  if (lastSuccess && new Date(lastSuccess.endedAt) >= dueAt) return undefined;
  const deadlineAt = new Date(dueAt.getTime() + patience);
  return { kind: schedule.kind, dueAt, deadlineAt, ...(lastSuccess ? { lastSuccess } : {}) };
};

/**
 * Publishes `JobOverdue` for each schedule whose last deadline passed without a success; once for each due time.
 *
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const findOverdue = async (
  { installation, schedules }: OverdueRequest,
  { ledger, publish, now }: Omit<JobPorts, "locks">,
): Promise<void> => {
  const at = now();
  const records = await ledger.list(installation, recordsRead);
  const found = schedules.map((schedule) => overdueAt(schedule, records, at)).filter((each) => each !== undefined);
  for (const { kind, dueAt, deadlineAt, lastSuccess } of found) {
    await ledger.once({ topic: "overdue", installation, key: `${kind}#${dueAt.toISOString()}` }, () =>
      publish({
        name: "JobOverdue",
        detail: {
          version: 1,
          installation,
          kind,
          at: at.toISOString(),
          dueAt: dueAt.toISOString(),
          deadlineAt: deadlineAt.toISOString(),
          ...(lastSuccess ? { lastSuccess } : {}),
        },
      }),
    );
  }
};
