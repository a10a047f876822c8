import { exitCodeOf, type HealthCheck, InstallationUnhealthyError } from "@openemr-ops/core/errors";
import type { Health } from "@openemr-ops/health/checkHealth";
import { ofJob } from "../commonOptions.ts";
import { nothing, type Shown, shown } from "../shown.ts";
import { renderFacts, renderTable } from "../table.ts";
import type { Stylist } from "../terminal.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const colours = { ok: "green", warning: "yellow", unknown: "yellow", failed: "red" } as const;

const describe = ({ checks }: Health, style: Stylist): Shown => {
  const rows = checks.map(({ name, status, detail }) => [name, style(colours[status], status), detail]);
  const steps = checks.flatMap(({ name, next }): readonly (readonly [string, string])[] =>
    next === undefined ? [] : [[name, next]],
  );
  return shown`${[
    renderTable(["check", "state", "detail"], rows),
    steps.length > 0 ? shown`Next:\n${renderFacts(steps)}` : nothing,
  ]}`;
};

type Context = CommandContext<"health">;

const show = ({ output }: Context, healthy: boolean, checks: readonly HealthCheck[], error?: object): void =>
  output.result({ healthy, checks, ...(error ? { error } : {}) }, (style) => describe({ healthy, checks }, style));

/** An unhealthy installation has a result like a healthy one, and the exit status of its error. */
const showUnhealthy = (context: Context, failure: InstallationUnhealthyError): number => {
  const { name, message, checks } = failure;
  show(context, false, checks, { name, message });
  if (!context.common.json) context.output.failure(failure);
  return exitCodeOf(failure);
};

const health = async (context: Context): Promise<number> => {
  announce(context, "Health of", [["url", context.installation.health.url]]);
  try {
    const result = await carryOut(context, context.operations.programs.health, jobOf(context, "health"));
    if ("dryRun" in result)
      context.output.result(result, () =>
        renderTable(
          ["check", "looks at"],
          result.checks.map(({ name, at }) => [name, at]),
        ),
      );
    else show(context, result.healthy, result.checks);
    return 0;
  } catch (failure) {
    if (failure instanceof InstallationUnhealthyError) return showUnhealthy(context, failure);
    throw failure;
  }
};

export const command = sectionCommand("health", {
  name: "health",
  job: "health",
  summary: "Check whether OpenEMR works: its pages, its database, its space, the age of its dumps.",
  common: ofJob,
  options: {},
  examples: ["health", "health --json"],
  run: health,
});
