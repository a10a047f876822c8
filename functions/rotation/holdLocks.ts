import { strict } from "@openemr-ops/core/config/strict";
import { workflowLeaseSeconds } from "@openemr-ops/core/locks";
import { locksOf } from "@openemr-ops/events/jobKinds";
import { jobInHand } from "@openemr-ops/events/workflowSteps";
import * as z from "zod";
import { readStage } from "../shared/environment.ts";
import { jobUnderWay } from "../shared/jobUnderWay.ts";
import { taskHandler } from "../shared/taskHandler.ts";

const holdRequest = strict({ job: jobInHand, seconds: z.int().min(0) });
const { hold } = jobUnderWay(readStage(process.env));

/**
 * Holds the locks of a rotation of SMTP credentials while its workflow waits, and until the next step can renew them. The end of
 * the job releases them earlier, whatever that end is.
 */
export const handler = taskHandler(holdRequest, async ({ job, seconds }) => {
  await hold(job, locksOf({ kind: "rotateSmtp", dryRun: job.dryRun }), seconds + workflowLeaseSeconds);
  return {};
});
