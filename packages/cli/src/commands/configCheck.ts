import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { SecretFinding } from "@openemr-ops/task/trySecret";
import { usual } from "../commonOptions.ts";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { doctor } from "../doctor.ts";
import { flag } from "../options.ts";
import { readConfig } from "../readConfig.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import type { Stylist } from "../terminal.ts";
import { tryAllSecrets } from "../tryAllSecrets.ts";

const secretsTable = (findings: readonly SecretFinding[], style: Stylist) =>
  renderTable(
    ["", "secret", "opens", "remarks"],
    findings.map(({ field, ok, opens, note }) => [
      ok ? style("green", "ok") : style("red", "fails"),
      field,
      opens,
      note,
    ]),
  );

/**
 * Shows what a valid configuration holds. Reading it is the check; with `--secrets` each secret is tried too, and `--deep` is
 * the command `doctor`.
 *
 * @returns the exit status: 0 when all is in order, 4 when a secret does not work
 */
const configCheck = async (
  surroundings: CommandSurroundings,
  { secrets: asked, deep }: { readonly secrets: boolean; readonly deep: boolean },
): Promise<number> => {
  if (deep) return doctor(surroundings);
  const config = await readConfig(surroundings);
  const { path, installations, warnings } = config;
  const secrets = asked ? await tryAllSecrets(config, surroundings) : undefined;
  const summary = installations.map(({ id, platform, database, sites, dumps, exports }) => ({
    id,
    platform: platform.kind,
    database: `${database.host}:${database.port}/${database.name}`,
    tls: database.tls,
    sites: sites.path,
    format: dumps?.format ?? "",
    destination: dumps ? formatDestination(dumps.destination) : "no dumps",
    exports: exports ? formatDestination(exports.destination) : "no exports",
  }));
  surroundings.output.result(
    { valid: true, path, installations: summary, warnings, ...(secrets ? { secrets } : {}) },
    (style) =>
      shown`${[
        style("green", `${path} is in order.`),
        shown`\n`,
        renderTable(
          ["installation", "platform", "database", "TLS", "sites", "format", "destination", "exports"],
          summary.map((one) => Object.values(one)),
        ),
        ...(secrets ? [shown`\n`, secretsTable(secrets, style)] : []),
      ]}`,
  );
  return secrets?.every(({ ok }) => ok) === false ? 4 : 0;
};

export const command = defineCommand({
  name: "config check",
  summary: "Check the configuration and all files that it names; write nothing, unless with --deep.",
  common: { ...usual, dryRun: flag("--dry-run", "with --deep: write no trial objects at destinations") },
  options: {
    deep: flag(
      "--deep",
      "do what the command doctor does: try all that later jobs need, with trial objects at destinations",
    ),
    secrets: flag("--secrets", "read each secret, log in with it, and show which ones work"),
  },
  examples: ["config check --config /srv/clinic-a.config.json", "config check --secrets"],
  problems: ({ deep, secrets }, { dryRun }) => [
    ...(deep && secrets ? [{ path: "--secrets", message: "excludes --deep, which tries the secrets too" }] : []),
    ...(dryRun && !deep ? [{ path: "--dry-run", message: "needs --deep: nothing is written without it" }] : []),
  ],
  run: configCheck,
});
