import { type CliOption, flag, optional } from "./options.ts";
import { aMetricsFile, anInstallation, aPath, aStage } from "./optionValues.ts";

/** Options that several commands share. */
export interface CommonOptions {
  /** Absolute name of the configuration; not set, it is looked for in the working directory, then in the machine's. */
  readonly config?: string;
  readonly installation?: string;
  /** One JSON value on standard output, logs on standard error. */
  readonly json: boolean;
  readonly dryRun: boolean;
  /** Absolute name of the file that gets the job's metrics; not set, the configuration names it. */
  readonly metrics?: string;
  /** Do not ask. */
  readonly yes: boolean;
  /** The stage of the control plane; not set, the environment names it. */
  readonly stage?: string;
}

/** Those that a command takes. */
export type CommonOptionsTaken = { readonly [Name in keyof CommonOptions]?: CliOption<CommonOptions[Name]> };

const config = optional(
  "--config <file>",
  "configuration (default: openemr-ops.config.json or .ts here, else /etc/openemr-ops/config.json)",
  aPath,
);
const json = flag("--json", "one JSON value on standard output, logs on standard error");

/** For commands that work on the configuration as a whole. */
export const usualForAll: CommonOptionsTaken = { config, json };

export const usual: CommonOptionsTaken = {
  config,
  installation: optional("--installation <id>", "installation, when the configuration lists several", anInstallation),
  json,
  yes: flag("--yes", "do not ask for confirmation"),
};

/** For commands that change something. */
export const usualAndDryRun: CommonOptionsTaken = {
  ...usual,
  dryRun: flag("--dry-run", "show what would happen; change nothing"),
};

/** For commands that run a job. */
export const ofJob: CommonOptionsTaken = {
  ...usualAndDryRun,
  metrics: optional(
    "--metrics <file>",
    "keep the job's metrics in this file, for Prometheus' node exporter",
    aMetricsFile,
  ),
};

export const stageOption = optional(
  "--stage <name>",
  "the deployed stage (default: OPENEMR_OPS_STAGE, or production)",
  aStage,
);
