import { pseudonymKeyProblem } from "@openemr-ops/core/config/pseudonymKey";
import type { ExportSettings } from "@openemr-ops/core/config/settings";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { TableCatalogue } from "@openemr-ops/core/tableCatalogue";
import type { InputOf } from "@openemr-ops/events/jobKinds";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { planAurora, storePlan } from "@openemr-ops/exports/aurora/planAurora";
import type { DatabaseExportContext, DatabaseExportResult } from "@openemr-ops/exports/context";
import {
  type DatabaseExportPlan,
  exportDatabase as exportNow,
  planDatabaseExport,
} from "@openemr-ops/exports/database/exportDatabase";
import { newExportId } from "@openemr-ops/exports/exportId";
import { withColumnChoices } from "@openemr-ops/exports/profiles/columnChoices";
import { deidentified } from "@openemr-ops/exports/profiles/deidentified";
import { full } from "@openemr-ops/exports/profiles/full";
import type { Profile } from "@openemr-ops/exports/profiles/profile";
import type { Outcome } from "@openemr-ops/jobs/runJob";
import { openSecrets } from "../openSecrets.ts";
import type { Place, Program } from "../program.ts";
import { exportContext, exportedDatabase, exportsOf } from "./exportContext.ts";

type ProfileName = ExportSettings["database"]["profile"];

/** What an export would hold. */
export interface DatabasePlan extends DatabaseExportPlan {
  readonly dryRun: true;
  readonly profile: ProfileName;
  readonly location: string;
}

const refuse = (path: string, message: string): never => {
  throw new InvalidInputError([{ path, message }]);
};

/** Whether a workflow takes over from what this program reports. */
const inWorkflow = ({ environment }: Place): boolean => Boolean(environment.OPENEMR_OPS_TASK_TOKEN);

/** Somewhere it is already this late. */
const furthestZoneHours = 14;

const checkSince = (
  since: string,
  { engine, profile }: Pick<ExportSettings["database"], "engine" | "profile">,
  now: Date,
) => {
  const today = new Date(now.getTime() + furthestZoneHours * 3_600_000).toISOString().slice(0, 10);
  if (since > today) refuse("since", `is in the future: expected a day up to ${today}`);
  if (engine === "aurora") refuse("since", 'AWS\'s own export has whole tables alone; expected engine "direct"');
  if (profile === "deidentified")
    refuse("since", 'a day would be known of each row, and with "deidentified" years alone leave; leave it away');
};

/** What a job is asked for, before what the configuration says. */
const choiceOf = (place: Place, { engine, profile, since }: InputOf<"exportDatabase">) => {
  const { database } = exportsOf(place).exports;
  const chosen = { engine: engine ?? database.engine, profile: profile ?? database.profile };
  if (since !== undefined) checkSince(since, chosen, place.now());
  if (chosen.engine === "aurora" && chosen.profile === "deidentified")
    refuse("profile", 'AWS\'s own export leaves out no columns: "deidentified" goes with engine "direct" alone');
  if (chosen.engine === "aurora" && (database.engine !== "aurora" || !inWorkflow(place)))
    refuse("engine", 'the workflow ExportDatabase alone runs engine "aurora": run exportDatabase; expected "direct"');
  return chosen;
};

/** @throws {InvalidInputError} a pseudonym key is missing, or short enough to be guessed */
const openProfile = async (place: Place, name: ProfileName): Promise<Profile> => {
  if (name === "full") return full();
  const { exports, id } = exportsOf(place);
  const reference = exports.pseudonymKey;
  const index = place.config.installations.findIndex((one) => one.id === id);
  if (!reference)
    return refuse(
      `installations[${index}].exports.pseudonymKeyFile`,
      'is missing; the profile "deidentified" makes pseudonyms with this key',
    );
  const key = await openSecrets(place.environment)(reference);
  const problem = pseudonymKeyProblem(key);
  if (problem) refuse(reference.field, `the key ${problem}`);
  return deidentified({ key, exportDate: place.now() });
};

/** The SDK of Glue is loaded only where a catalogue is configured. */
const openCatalogue = async (place: Place): Promise<TableCatalogue | undefined> => {
  const { destination, database } = exportsOf(place).exports;
  if (database.catalogue === undefined || destination.kind !== "s3") return undefined;
  const { AWS_REGION, AWS_DEFAULT_REGION } = place.environment;
  const { glueCatalogue } = await import("@openemr-ops/aws/glueCatalogue");
  return glueCatalogue({
    database: database.catalogue,
    region: AWS_REGION || AWS_DEFAULT_REGION || destination.region,
  });
};

const openExport = async (place: Place, profile: ProfileName): Promise<DatabaseExportContext> => ({
  ...(await exportContext(place)),
  catalogue: await openCatalogue(place),
  database: exportedDatabase(place),
  profile: withColumnChoices(await openProfile(place, profile), exportsOf(place).exports.database),
});

export const databasePlanReport = ({ tables, skipped }: DatabasePlan): TaskReport => ({
  figures: { tables: tables.length, skipped: skipped.length },
  result: {},
});

export const databaseExportReport = (result: DatabaseExportResult): TaskReport => {
  const { exportId, location, profile, tables, rows, bytes, seconds, skipped, since } = result;
  return {
    figures: { tables, rows, bytes, skipped: skipped.length, seconds },
    result: { exportId, location, profile, ...(since === undefined ? {} : { since: `logs since ${since} alone` }) },
  };
};

/** Decides what RDS may copy, for the workflow to ask it. */
const planForRds = async (
  place: Place,
  context: DatabaseExportContext,
  names: readonly string[] | undefined,
): Promise<Outcome<DatabaseExportResult>> => {
  const exportId = newExportId(place.now());
  await context.assertPlace?.();
  const planned = await planAurora(context, names);
  const plan = await storePlan(context.destination, exportId, planned);
  const { tables, skipped } = planned;
  const location = `${context.destination.url}/database/${exportId}`;
  const nothingYet = { rows: 0, bytes: 0, seconds: 0, largest: [] };
  return {
    result: { exportId, location, profile: context.profile.name, tables: tables.length, skipped, ...nothingYet },
    report: {
      figures: { tables: tables.length, skipped: skipped.length },
      result: { exportId, engine: "aurora", plan },
    },
  };
};

export const exportDatabase: Program<"exportDatabase", DatabasePlan, DatabaseExportResult> = {
  plan: async (place, request) => {
    const { profile } = choiceOf(place, request);
    const context = await openExport(place, profile);
    const planned = await planDatabaseExport(context, request);
    const result: DatabasePlan = { dryRun: true, profile, location: `${context.destination.url}/database`, ...planned };
    return { result, report: databasePlanReport(result) };
  },
  run: async (place, request) => {
    const { engine, profile } = choiceOf(place, request);
    const context = await openExport(place, profile);
    if (engine === "aurora") return planForRds(place, context, request.tables);
    const { tables, since } = request;
    const result = await exportNow(context, { exportId: newExportId(place.now()), tables, since });
    return { result, report: databaseExportReport(result) };
  },
};
