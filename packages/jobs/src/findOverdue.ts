import { lastDue } from "@openemr-ops/core/cron";
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

type Ledger = Pick<JobPorts["ledger"], "list">;

/** Two jobs of a kind may run at once, so the last to end need not be the last that was asked for. */
const newestRead = 10;

/** The last job of a kind that succeeded, however many jobs of other kinds came after it. A dry run does not count. */
export const lastSuccessOf = async (
  ledger: Ledger,
  installation: string,
  kind: Schedule["kind"],
): Promise<LastSuccess | undefined> => {
  const records = await ledger.list(installation, newestRead, { kind, status: "succeeded", dryRun: false });
  return records
    .flatMap(({ jobId, endedAt }) => (endedAt === undefined ? [] : [{ jobId, endedAt }]))
    .sort((one, other) => Date.parse(other.endedAt) - Date.parse(one.endedAt))[0];
};

/**
 * Whether a schedule's last due time with a deadline in the past is overdue. Every success since that time counts, also of a
 * job that a person started, but not of a dry run. `since` is when the schedule was deployed: nothing was due before, unless
 * such jobs had already run and so the deployment was not the first.
 */
export const overdueAt = async (
  ledger: Ledger,
  installation: string,
  schedule: Schedule,
  now: Date,
): Promise<Overdue | undefined> => {
  const { kind } = schedule;
  const patience = schedule.deadlineMinutes * 60_000;
  const dueAt = lastDue(schedule, new Date(now.getTime() - patience));
  if (!dueAt) return undefined;
  const ranBefore = async () => (await ledger.list(installation, 1, { kind, requestedBefore: dueAt })).length > 0;
  if (dueAt < new Date(schedule.since) && !(await ranBefore())) return undefined;
  const lastSuccess = await lastSuccessOf(ledger, installation, kind);
  if (lastSuccess && new Date(lastSuccess.endedAt) >= dueAt) return undefined;
  const deadlineAt = new Date(dueAt.getTime() + patience);
  return { kind, dueAt, deadlineAt, ...(lastSuccess ? { lastSuccess } : {}) };
};

/**
 * Publishes `JobOverdue` for each schedule whose last deadline passed without a success; once for each due time. Of an
 * installation that is not in the configuration, whose jobs are not started, once a day.
 *
 * @param configured installations of the configuration that was deployed last
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const findOverdue = async (
  { installation, schedules }: OverdueRequest,
  configured: ReadonlySet<string>,
  { ledger, publish, now }: Omit<JobPorts, "locks">,
): Promise<void> => {
  const at = now();
  for (const schedule of schedules) {
    const overdue = await overdueAt(ledger, installation, schedule, at);
    if (!overdue) continue;
    const { kind, dueAt, deadlineAt, lastSuccess } = overdue;
    const known = configured.has(installation);
    const key = known ? dueAt.toISOString() : `not configured#${dueAt.toISOString().slice(0, 10)}`;
    await ledger.once({ topic: "overdue", installation, key: `${kind}#${key}` }, () =>
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
          ...(known ? {} : { configured: false as const }),
        },
      }),
    );
  }
};
