import { selectInstallation } from "@openemr-ops/core/config/select";
import { nextStepFor } from "@openemr-ops/notifications/nextSteps";
import type { DoctorFinding } from "@openemr-ops/task/doctor/finding";
import type { CommandSurroundings } from "./defineCommand.ts";
import { readConfig } from "./readConfig.ts";
import { nothing, type Shown, shown } from "./shown.ts";
import { renderFacts, renderTable } from "./table.ts";
import type { Stylist } from "./terminal.ts";
import { tryNotifications } from "./tryAllSecrets.ts";

const colours = { ok: "green", warning: "yellow", problem: "red", "not tried": "yellow" } as const;
const statuses = ["problem", "warning", "not tried", "ok"] as const;

const countsOf = (findings: readonly DoctorFinding[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    statuses.map((status) => [status, findings.filter((finding) => finding.status === status).length]),
  );

/** What a person does next: what the check knows, else what everybody does who meets this error. */
const withNextStep = (finding: DoctorFinding): DoctorFinding => ({
  ...finding,
  ...(finding.next === undefined && finding.error !== undefined ? { next: nextStepFor(finding.error).step } : {}),
});

const describe = (findings: readonly DoctorFinding[], style: Stylist): Shown => {
  const rows = findings.map(({ status, check, field, seen }) => [
    style(colours[status], status),
    check,
    field || "-",
    seen,
  ]);
  const steps = findings.flatMap(({ status, check, field, next }): readonly (readonly [string, string])[] =>
    next === undefined || status === "ok" ? [] : [[field || check, next]],
  );
  const counts = Object.entries(countsOf(findings)).map(([status, count]) => `${count} ${status}`);
  return shown`${[
    renderTable(["", "check", "field", "found"], rows),
    steps.length > 0 ? shown`Next:\n${renderFacts(steps)}` : nothing,
    shown`${counts.join(", ")}\n`,
  ]}`;
};

/**
 * Examines every installation, or the one that `--installation` names, and shows what was found. A dry run writes no trial
 * objects either.
 *
 * @returns the exit status: 0 without a problem, 4 with one
 */
export const doctor = async (surroundings: CommandSurroundings): Promise<number> => {
  const { common, environment, now, signal, output, openOperations } = surroundings;
  const config = await readConfig({ ...surroundings, output: { ...output, warn: () => {} } }); // findings of their own
  const { installations } =
    common.installation === undefined ? config : { installations: [selectInstallation(config, common.installation)] };
  const { progress, warn } = output;
  const { examine } = await openOperations();
  const write = !common.dryRun;
  const found = await examine({ config, installations, write, environment, now, signal, progress, warn });
  const channels = (await tryNotifications(config, surroundings)).map(
    ({ field, ok, opens, note }): DoctorFinding => ({
      check: "notifications",
      status: ok ? "ok" : "problem",
      field,
      seen: note || `opens ${opens}`,
      ...(ok ? {} : { next: "correct the secret or the settings beside it, and type: openemr-ops notify test" }),
    }),
  );
  const findings = [...found, ...channels].map(withNextStep);
  const healthy = findings.every(({ status }) => status !== "problem");
  output.result({ ok: healthy, counts: countsOf(findings), findings }, (style) => describe(findings, style));
  return healthy ? 0 : 4;
};
