import { loadConnection } from "@openemr-ops/core/config/load";
import type { InputIssue } from "@openemr-ops/core/errors";
import { formatMoment } from "@openemr-ops/core/format";
import { statusOf } from "@openemr-ops/dumps/steps/verdict";
import { ofJob } from "../commonOptions.ts";
import { copyOption } from "../copyOption.ts";
import { type Asked, flag, optional, required } from "../options.ts";
import { aChoice, aDump, aPath, aSchema } from "../optionValues.ts";
import { shown } from "../shown.ts";
import {
  announce,
  type CommandContext,
  carryOut,
  confirm,
  type Fact,
  installationCommand,
  jobOf,
  placeOf,
  sourceFacts,
  storeFacts,
} from "./context.ts";
import { isPart, partOptions, partProblems, restorePartOf } from "./partOfDump.ts";
import { showVerdict } from "./verdict.ts";

/** Where a restored tree may have to run; `cloud-sql` is a database service that loads the dump by itself. */
const targetPlatforms = ["ecs", "compose", "kubernetes", "host", "cloud-sql"] as const;

const restoreOptions = {
  ...copyOption,
  dump: required(
    "--dump <id>",
    "latest, or a dump's identifier",
    aDump,
    "is missing; use latest, or an identifier that dumps lists",
  ),
  intoDatabase: optional("--into-database <name>", "restore the database into this new schema", aSchema),
  intoSites: optional("--into-sites <directory>", "restore the sites into this new directory", aPath),
  ...partOptions,
  inPlace: flag("--in-place", "restore over the live database and sites; a safety dump is taken first"),
  sites: optional(
    "--sites <which>",
    "with --in-place, if the tree also holds sites of other databases: own (only those of the dump's rows) or all",
    aChoice(["own", "all"] as const),
  ),
  platform: optional(
    "--for <platform>",
    `prepare the restored sites for ${targetPlatforms.join(", ")}`,
    aChoice(targetPlatforms),
  ),
  connect: optional(
    "--connect <file>",
    "JSON with host, port, name, user, passwordFile for the restored OpenEMR",
    aPath,
  ),
  upgrade: flag("--upgrade", "the code at the target is newer and will upgrade the data"),
};

type RestoreArguments = Asked<typeof restoreOptions>;

const problemsOf = (asked: Partial<RestoreArguments>) => {
  const { inPlace, intoDatabase, intoSites, platform, sites, connect, upgrade } = asked;
  if (isPart(asked))
    return partProblems({
      "--in-place": inPlace,
      "--sites": sites,
      "--for": platform,
      "--connect": connect,
      "--upgrade": upgrade,
    });
  const issues: InputIssue[] = [];
  if (inPlace && (intoDatabase ?? intoSites) !== undefined) {
    issues.push({
      path: "--in-place",
      message: "replaces the live system; leave --into-database and --into-sites out",
    });
  }
  if (sites !== undefined && !inPlace) issues.push({ path: "--sites", message: "goes with --in-place" });
  const cloudSql = platform === "cloud-sql";
  if (cloudSql && (inPlace || intoSites !== undefined)) {
    issues.push({ path: "--for", message: "cloud-sql loads a database alone; leave --in-place and --into-sites out" });
  }
  const into = [
    ["--into-database", intoDatabase, "a new schema for the rows"],
    ["--into-sites", cloudSql || intoSites, "a new directory for the files"],
  ] as const;
  for (const [path, value, what] of into) {
    if (!inPlace && value === undefined) {
      issues.push({ path, message: `is missing; name ${what}, or use --in-place to replace the live system` });
    }
  }
  return issues;
};

const targetFacts = (options: RestoreArguments, context: CommandContext): readonly Fact[] =>
  options.inPlace
    ? sourceFacts(context).map(([label, value]) => [`${label}, replaced or made`, value])
    : [
        ["into schema", options.intoDatabase ?? ""],
        ["into directory", options.intoSites ?? ""],
      ];

/** Cloud SQL loads a dump by itself; only the command for that is found here. */
const planCloudSql = async (
  context: CommandContext,
  { dump, intoDatabase = "", copy }: RestoreArguments,
): Promise<void> => {
  const plan = await context.operations.planCloudSql(placeOf(context), { dump, intoDatabase, copy });
  const words = `To load dump ${plan.dumpId} of ${formatMoment(plan.takenAt)}, type (INSTANCE is the name of yours):`;
  context.output.result(plan, (style) => shown`${words}\n  ${style("bold", plan.command)}\n`);
};

const restore = async (context: CommandContext, options: RestoreArguments): Promise<number> => {
  if (isPart(options)) return restorePartOf(context, options);
  const { connect, platform, tables, files, patient, site, ...rest } = options;
  if (platform === "cloud-sql") {
    await planCloudSql(context, options);
    return 0;
  }
  const { environment } = context;
  const connection = connect === undefined ? undefined : await loadConnection(connect, { environment });
  announce(context, "Restore", [
    ...storeFacts(context, options.copy),
    ["dump", options.dump],
    ...targetFacts(options, context),
  ]);
  if (options.inPlace) {
    await confirm(
      context,
      "This replaces the live database and sites, if there are any; a safety dump of them is taken first. Continue?",
    );
  }
  const verdict = await carryOut(context, context.operations.programs.restore, {
    ...jobOf(context, "restore"),
    ...rest,
    ...(platform ? { platform } : {}),
    ...(connection ? { connection } : {}),
  });
  showVerdict(context, "Restore", verdict);
  return "dryRun" in verdict ? 0 : statusOf(verdict);
};

export const command = installationCommand({
  name: "restore",
  job: "restore",
  summary: "Restore a dump, or a part of it, beside the live system; or all of it over that with --in-place.",
  common: ofJob,
  options: restoreOptions,
  problems: problemsOf,
  examples: [
    "restore --dump latest --into-database restored --into-sites /srv/restore",
    "restore --dump latest --copy 1 --into-database restored --into-sites /srv/restore",
    "restore --dump latest --table patient_data --table lists --into-database look",
    "restore --dump latest --files 'default/documents/12/**' --into-sites /srv/look",
    "restore --dump latest --patient 12 --into-database look --into-sites /srv/look",
    "restore --dump latest --in-place --dry-run",
    "restore --dump latest --for cloud-sql --into-database openemr",
    "restore --dump 01K9ZV6T5W8QH3N2R4X7BCDEFG --into-database restored --into-sites /mnt/efs/new --for ecs --connect target.json",
  ],
  run: restore,
});
