import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoLocks } from "@openemr-ops/aws/dynamoLocks";
import { eventPublisher } from "@openemr-ops/aws/eventPublisher";
import { rdsExports } from "@openemr-ops/aws/rdsExports";
import { strict } from "@openemr-ops/core/config/strict";
import { IntegrityError } from "@openemr-ops/core/errors";
import { workflowLeaseSeconds } from "@openemr-ops/core/locks";
import { namesOf } from "@openemr-ops/core/names";
import { jobInHand, taskReport } from "@openemr-ops/events/workflowSteps";
import { type FollowedAurora, followAurora } from "@openemr-ops/exports/aurora/followAurora";
import { exportTaskIdentifier } from "@openemr-ops/exports/startedDatabaseExport";
import * as z from "zod";
import { openDeployedDestination } from "../shared/deployedDestination.ts";
import { readVariable } from "../shared/environment.ts";
import { logger, taskHandler } from "../shared/taskHandler.ts";
import { readExportSettings } from "./settings.ts";

const { stage, installation, store } = readExportSettings(process.env);
const { destination: place } = store;
const { jobsTable: table, bus } = namesOf(stage);
const now = () => new Date();
const ledger = dynamoLedger({ table, now });
const locks = dynamoLocks({ table, now });
const publish = eventPublisher({ bus });
const clusterExports = rdsExports({
  cluster: readVariable(process.env, "OPENEMR_OPS_CLUSTER"),
  role: readVariable(process.env, "OPENEMR_OPS_EXPORT_ROLE"),
  key: readVariable(process.env, "OPENEMR_OPS_EXPORT_KEY"),
  bucket: place.bucket,
});

const request = strict({
  job: jobInHand,
  report: taskReport,
  followed: z.object({ state: z.enum(["new", "queued", "starting", "running", "done"]), since: z.string() }),
});

/** One look at the export that RDS makes for a job. The workflow waits between two. */
export const handler = taskHandler(request, async ({ job, report, followed }): Promise<FollowedAurora> => {
  const { jobId, kind, dryRun } = job;
  const { exportId, plan } = report.result;
  if (exportId === undefined || plan === undefined)
    throw new IntegrityError("the task named no export, or no plan of it; nothing was asked of RDS");
  // No container renews it while RDS works.
  await locks.acquire({ installation, resource: "export-database", owner: jobId, leaseSeconds: workflowLeaseSeconds });
  const answer = await followAurora(
    { installation, exportId, identifier: exportTaskIdentifier(installation, jobId), plan, before: followed },
    {
      clusterExports,
      destination: await openDeployedDestination(store, "exports"),
      prefix: place.prefix,
      now,
    },
  );
  const step = {
    name: `rds ${answer.state}`,
    by: "function" as const,
    at: now().toISOString(),
    figures: answer.figures,
  };
  const detail = {
    version: 1 as const,
    jobId,
    kind,
    installation,
    dryRun,
    at: step.at,
    step: step.name,
    figures: answer.figures,
  };
  for (const note of [() => ledger.note(job, step), () => publish({ name: "JobProgressed", detail })])
    await note().catch((error: unknown) => logger.warn("progress was not noted", { error: String(error) }));
  return answer;
});
