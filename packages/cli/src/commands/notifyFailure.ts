import { ulid } from "@openemr-ops/core/ids";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { kindNames } from "@openemr-ops/events/jobKinds";
import { usualForAll } from "../commonOptions.ts";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { openNotifications } from "../openNotifications.ts";
import { required } from "../options.ts";
import { aUnit } from "../optionValues.ts";
import { shown } from "../shown.ts";

/** `openemr-ops-export-database@clinic-a.service`: the kind and the installation. */
const ourUnit = /^openemr-ops-([a-zA-Z-]+)@([a-z0-9][a-z0-9-]{0,62})(?:\.service)?$/;

/** The job that a unit of ours runs; for another unit, the unit itself. */
const jobOfUnit = (unit: string): Pick<JobRecord, "kind" | "installation"> => {
  const [, words = "", installation = ""] = ourUnit.exec(unit.replaceAll("\\x2d", "-")) ?? [];
  const name = words.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const kind = kindNames.find((known) => known === name);
  return kind === undefined ? { kind: "unit", installation: unit } : { kind, installation };
};

/** @returns the exit status: 4 when no channel accepted the notice */
const notifyFailure = async (
  surroundings: CommandSurroundings,
  { unit }: { readonly unit: string },
): Promise<number> => {
  const { environment, now, output } = surroundings;
  const { told, hasReported } = await openNotifications(surroundings);
  if (await hasReported(environment.MONITOR_INVOCATION_ID)) {
    output.result({ unit, reported: "before", channels: [] }, () => shown`${unit} reported its failure by itself.\n`);
    return 0;
  }
  const moment = now().toISOString();
  const channels = await told({
    jobId: ulid(now()),
    ...jobOfUnit(unit),
    status: "failed",
    dryRun: false,
    requestedAt: moment,
    endedAt: moment,
    error: {
      name: "TaskLostError",
      message: `the systemd unit ${unit} failed, and the job in it reported nothing; read: journalctl -u ${unit}`,
    },
  });
  const names = channels.map(({ field }) => field);
  const reported = names.length > 0 ? "now" : "nowhere";
  output.result({ unit, reported, channels: names }, () =>
    names.length > 0
      ? shown`People were notified of ${unit} by ${names.join(", ")}.\n`
      : shown`No channel accepted the notice of ${unit}.\n`,
  );
  return names.length > 0 ? 0 : 4;
};

export const command = defineCommand({
  name: "notify failure",
  summary: "Notify people that a systemd unit failed, unless its job did so; for OnFailure= of units.",
  common: usualForAll,
  options: {
    unit: required("--unit <name>", "the unit, as systemd names it", aUnit, "is missing; name the unit that failed"),
  },
  examples: ["notify failure --unit openemr-ops-dump@clinic-a.service"],
  run: notifyFailure,
});
