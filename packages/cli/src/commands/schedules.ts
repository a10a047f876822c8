import { selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation } from "@openemr-ops/core/config/settings";
import { nextDue } from "@openemr-ops/core/cron";
import { formatMoment } from "@openemr-ops/core/format";
import { type ScheduledKind, scheduledKinds } from "@openemr-ops/events/jobKinds";
import { lastSuccessOf, overdueAt } from "@openemr-ops/jobs/findOverdue";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { type ControlContext, stageCommand } from "./controlContext.ts";

interface ListedSchedule {
  readonly installation: string;
  readonly kind: ScheduledKind;
  readonly cron: string;
  readonly timeZone: string;
  readonly nextDueAt?: string;
  readonly lastSuccess?: { readonly jobId: string; readonly endedAt: string };
  /** The due time whose deadline passed without a success. */
  readonly overdueSince?: string;
}

const listedSchedule = async (
  { id: installation, schedules }: Installation,
  kind: ScheduledKind,
  { ledger, now }: ControlContext,
): Promise<readonly ListedSchedule[]> => {
  const schedule = schedules[kind];
  if (!schedule) return [];
  const { cron, timeZone, deadlineMinutes } = schedule;
  const since = new Date(0).toISOString(); // when it was deployed is not known here
  const overdue = await overdueAt(ledger, installation, { kind, cron, timeZone, deadlineMinutes, since }, now());
  const lastSuccess = await lastSuccessOf(ledger, installation, kind);
  const nextDueAt = nextDue(schedule, now())?.toISOString();
  return [
    {
      installation,
      kind,
      cron,
      timeZone,
      ...(nextDueAt === undefined ? {} : { nextDueAt }),
      ...(lastSuccess ? { lastSuccess } : {}),
      ...(overdue ? { overdueSince: overdue.dueAt.toISOString() } : {}),
    },
  ];
};

const schedulesOf = async (installation: Installation, context: ControlContext): Promise<readonly ListedSchedule[]> =>
  (await Promise.all(scheduledKinds.map((kind) => listedSchedule(installation, kind, context)))).flat();

const schedules = async (context: ControlContext): Promise<void> => {
  const config = await context.readConfig();
  const { installation } = context.common;
  const meant = installation === undefined ? config.installations : [selectInstallation(config, installation)];
  const listed = (await Promise.all(meant.map((one) => schedulesOf(one, context)))).flat();
  context.output.result(listed, (style) => {
    if (listed.length === 0) return shown`The configuration has no schedules.\n`;
    const rows = listed.map(({ installation: id, kind, cron, timeZone, nextDueAt, lastSuccess, overdueSince }) => [
      id,
      kind,
      cron,
      timeZone,
      nextDueAt === undefined ? "never" : formatMoment(nextDueAt),
      lastSuccess ? formatMoment(lastSuccess.endedAt) : "never",
      overdueSince === undefined
        ? style("green", "in time")
        : style("red", `overdue since ${formatMoment(overdueSince)}`),
    ]);
    return renderTable(["installation", "kind", "cron", "time zone", "next due", "last success", "state"], rows);
  });
};

export const command = stageCommand({
  name: "schedules",
  summary: "List when jobs are due, when each succeeded last, and which are overdue.",
  options: {},
  examples: ["schedules", "schedules --stage staging --json"],
  run: schedules,
});
