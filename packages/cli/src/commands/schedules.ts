import { selectInstallation } from "@openemr-ops/core/config/select";
import type { Installation, Schedule } from "@openemr-ops/core/config/settings";
import { nextDue } from "@openemr-ops/core/cron";
import { formatMoment } from "@openemr-ops/core/format";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { findOverdue } from "@openemr-ops/jobs/findOverdue";
import { renderTable } from "../table.ts";
import type { ControlContext } from "./controlContext.ts";

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

/** Due times that passed their deadline without a success, by the rule of the control plane's own sweep; nothing is told. */
const overdueIn = async (
  { id }: Installation,
  schedules: readonly (readonly [ScheduledKind, Schedule])[],
  records: readonly JobRecord[],
  { ledger, now }: ControlContext,
): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  const request = {
    installation: id,
    schedules: schedules.map(([kind, { cron, timeZone, deadlineMinutes }]) => ({
      ...{ kind, cron, timeZone, deadlineMinutes },
      since: new Date(0).toISOString(),
    })),
  };
  const once = async (_: string, act: () => Promise<void>) => act().then(() => true);
  await findOverdue(request, {
    ledger: { ...ledger, list: async () => records, once },
    publish: async (event) => {
      if (event.name === "JobOverdue") found.set(event.detail.kind, event.detail.dueAt);
    },
    now,
  });
  return found;
};

const lastSuccessOf = (kind: ScheduledKind, records: readonly JobRecord[]): ListedSchedule["lastSuccess"] => {
  const [last] = records
    .flatMap(({ jobId, kind: other, status, dryRun, endedAt }) =>
      other === kind && status === "succeeded" && !dryRun && endedAt !== undefined ? [{ jobId, endedAt }] : [],
    )
    .sort((one, other) => (one.endedAt < other.endedAt ? 1 : -1));
  return last;
};

/** So many of the newest records decide, as in the control plane's own sweep. */
const recordsRead = 1000;

const schedulesOf = async (installation: Installation, context: ControlContext): Promise<readonly ListedSchedule[]> => {
  const schedules = (["dump", "drill", "check"] as const).flatMap((kind) => {
    const schedule = installation.schedules[kind];
    return schedule ? [[kind, schedule] as const] : [];
  });
  if (schedules.length === 0) return [];
  const records = await context.ledger.list(installation.id, recordsRead);
  const overdue = await overdueIn(installation, schedules, records, context);
  return schedules.map(([kind, schedule]) => {
    const nextDueAt = nextDue(schedule, context.now())?.toISOString();
    const lastSuccess = lastSuccessOf(kind, records);
    const overdueSince = overdue.get(kind);
    const { cron, timeZone } = schedule;
    return {
      ...{ installation: installation.id, kind, cron, timeZone },
      ...(nextDueAt === undefined ? {} : { nextDueAt }),
      ...(lastSuccess ? { lastSuccess } : {}),
      ...(overdueSince === undefined ? {} : { overdueSince }),
    };
  });
};

export const schedules = async (context: ControlContext): Promise<void> => {
  const config = await context.readConfig();
  const { installation } = context.common;
  const meant = installation === undefined ? config.installations : [selectInstallation(config, installation)];
  const listed = (await Promise.all(meant.map((one) => schedulesOf(one, context)))).flat();
  context.output.result(listed, (style) => {
    if (listed.length === 0) return "The configuration has no schedules.\n";
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
