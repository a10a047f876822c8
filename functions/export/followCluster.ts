import { rdsExports } from "@openemr-ops/aws/rdsExports";
import { strict } from "@openemr-ops/core/config/strict";
import { IntegrityError } from "@openemr-ops/core/errors";
import { jobInHand, taskReport } from "@openemr-ops/events/workflowSteps";
import { type FollowedAurora, followAurora } from "@openemr-ops/exports/aurora/followAurora";
import { exportTaskIdentifier } from "@openemr-ops/exports/startedDatabaseExport";
import * as z from "zod";
import { openDeployedDestination } from "../shared/deployedDestination.ts";
import { readVariable } from "../shared/environment.ts";
import { jobUnderWay } from "../shared/jobUnderWay.ts";
import { taskHandler } from "../shared/taskHandler.ts";
import { readExportSettings } from "./settings.ts";

const { stage, installation, store } = readExportSettings(process.env);
const { destination: place } = store;
const now = () => new Date();
const underWay = jobUnderWay(stage);
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
  const { exportId, plan } = report.result;
  if (exportId === undefined || plan === undefined)
    throw new IntegrityError("the task named no export, or no plan of it; nothing was asked of RDS");
  // No container renews it while RDS works.
  await underWay.hold(job, ["export-database"]);
  const answer = await followAurora(
    { installation, exportId, identifier: exportTaskIdentifier(installation, job.jobId), plan, before: followed },
    {
      clusterExports,
      destination: await openDeployedDestination(store, "exports"),
      prefix: place.prefix,
      now,
    },
  );
  await underWay.note(job, `rds ${answer.state}`, answer.figures);
  return answer;
});
