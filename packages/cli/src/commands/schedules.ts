import { selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation } from "@openemr-ops/core/config/settings";
import { nextDue } from "@openemr-ops/core/cron";
import { formatMoment } from "@openemr-ops/core/format";
import { lastSuccessOf, overdueAt, recordsRead } from "@openemr-ops/jobs/findOverdue";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { type ControlContext, stageCommand } from "./controlContext.ts";

type ScheduledKind = keyof Installation["schedules"];

interface ListedSchedule {
  readonly installation: string;
  readonly kind: ScheduledKind;
  readonly cron: string;
  readonly timeZone: string;
  readonly nextDueAt?: string;
  readonly lastSuccess?: { readonly jobId: string; readonly endedAt: string };
  /** The due time that no success came for in time. */
  readonly overdueSince?: string;
}

const schedulesOf = async (installation: Installation, context: ControlContext): Promise<readonly ListedSchedule[]> => {
  const schedules = (["dump", "drill", "check"] as const).flatMap((kind) => {
    const schedule = installation.schedules[kind];
    return schedule ? [[kind, schedule] as const] : [];
  });
  if (schedules.length === 0) return [];
  const records = await context.ledger.list(installation.id, recordsRead);
  const deployedAt = new Date(0).toISOString(); // when is not known here
  return schedules.map(([kind, schedule]) => {
    const nextDueAt = nextDue(schedule, context.now())?.toISOString();
    const lastSuccess = lastSuccessOf(kind, records);
    const { cron, timeZone, deadlineMinutes } = schedule;
    const overdue = overdueAt({ kind, cron, timeZone, deadlineMinutes, since: deployedAt }, records, context.now());
    return {
      installation: installation.id,
      kind,
      cron,
      timeZone,
      ...(nextDueAt === undefined ? {} : { nextDueAt }),
      ...(lastSuccess ? { lastSuccess } : {}),
      ...(overdue ? { overdueSince: overdue.dueAt.toISOString() } : {}),
    };
  });
};

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
