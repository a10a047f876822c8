import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoTaskNames } from "@openemr-ops/aws/dynamoTaskNames";
import { executionHistory } from "@openemr-ops/aws/executionHistory";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { namesOf } from "@openemr-ops/core/names";
import { type ExportStatus, exportStatus, isExport } from "@openemr-ops/exports/exportStatus";
import { jobOfIdentifier } from "@openemr-ops/exports/startedDatabaseExport";
import { assertInstallation } from "@openemr-ops/jobs/joinOrStart";
import * as z from "zod";
import { openDeployedDestination } from "../shared/deployedDestination.ts";
import { readVariable } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";
import { readExportSettings } from "./settings.ts";

const { stage, installation, store } = readExportSettings(process.env);
const workflows = readVariable(process.env, "OPENEMR_OPS_WORKFLOWS").split(",");
const { jobsTable: table } = namesOf(stage);
const ledger = dynamoLedger({ table });
const tasks = dynamoTaskNames({ table });
const history = executionHistory();

const ways = "jobId, taskArn or exportTaskIdentifier";

/** The name that an event gives to an export: what either function answered, or a part of it. */
const named = (event: unknown): string | undefined => {
  if (typeof event === "string") return event;
  if (typeof event !== "object" || event === null) return undefined;
  const said = event as Readonly<Record<string, unknown>>;
  const given = [
    ...[said.jobId, said.JobId, said.taskArn, said.TaskArn],
    ...[said.exportTaskIdentifier, said.ExportTaskIdentifier, said.id],
  ].find((value) => value !== undefined && value !== null);
  if (given === undefined) return undefined;
  if (typeof given === "string" && given !== "" && given.length <= 2048) return given;
  throw new InvalidInputError([{ path: "jobId", message: `expected a text: ${ways}` }]);
};

const jobOf = async (name: string): Promise<string> => {
  if (name.startsWith("arn:")) return (await tasks.jobOf(installation, name)) ?? name.slice(name.lastIndexOf(":") + 1);
  return jobOfIdentifier(installation, name) ?? name;
};

const statusOf = async (jobId: string): Promise<ExportStatus | undefined> => {
  const record = await ledger.get({ installation, jobId });
  return record && isExport(record) ? exportStatus(record, () => openDeployedDestination(store, "exports")) : undefined;
};

/** The newest export of each half, whoever started it. */
const newest = async (): Promise<readonly ExportStatus[]> => {
  const listed = await Promise.all(workflows.map((workflow) => history.newest(workflow)));
  const found = await Promise.all(listed.map(async ([first]) => (first ? statusOf(first.name) : undefined)));
  return found.filter((one) => one !== undefined);
};

/**
 * How an export goes: state, figures, where the data is, what was left out and why. In: the job's name, the container's ARN or
 * the export's identifier, as a text or in the field of that name; nothing for the newest ones.
 */
export const handler = taskHandler(
  z.unknown(),
  async (event): Promise<ExportStatus | { readonly exports: readonly ExportStatus[] }> => {
    assertInstallation(event, installation);
    const name = named(event);
    if (name === undefined) return { exports: await newest() };
    const status = await statusOf(await jobOf(name));
    if (status) return status;
    throw new InvalidInputError([{ path: "jobId", message: `is no export of ${installation}; expected ${ways}` }]);
  },
);
