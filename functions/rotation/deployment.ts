import { ecsDeployments } from "@openemr-ops/aws/ecsDeployments";
import { strict } from "@openemr-ops/core/config/strict";
import { figures, identifiers } from "@openemr-ops/events/jobEvent";
import { locksOf } from "@openemr-ops/events/jobKinds";
import { type JobInHand, jobInHand } from "@openemr-ops/events/workflowSteps";
import * as z from "zod";
import { type Environment, readStage, readVariable } from "../shared/environment.ts";
import { jobUnderWay } from "../shared/jobUnderWay.ts";

/** What the steps of a redeployment say to one another. `planned`: nothing was deployed, as it was asked. */
const redeployment = strict({
  state: z.enum(["planned", "underWay", "completed"]),
  /** Of ECS; empty where nothing was deployed. */
  id: z.string(),
  startedAt: z.iso.datetime(),
  looks: z.number(),
  figures,
  result: identifiers,
});
export type RedeploymentState = z.output<typeof redeployment>;

/** `lookOnly`: whether it could be deployed, before anything else is changed. */
export const startRequest = strict({ job: jobInHand, lookOnly: z.boolean().default(false) });
export const followRequest = strict({ job: jobInHand, deployment: redeployment });

/** The service of this function's installation, and the job that deploys it. */
export const openRedeployment = (environment: Environment) => {
  const underWay = jobUnderWay(readStage(environment));
  return {
    service: ecsDeployments({
      cluster: readVariable(environment, "OPENEMR_OPS_CLUSTER"),
      service: readVariable(environment, "OPENEMR_OPS_SERVICE"),
    }),
    ...underWay,
    /** No container renews the job's own locks while ECS works. */
    hold: (job: JobInHand): Promise<void> => {
      const { kind, dryRun } = job;
      const own = kind === "rotateDatabase" || kind === "rotateSmtp" ? locksOf({ kind, dryRun }) : [];
      return underWay.hold(job, [...new Set([...own, ...locksOf({ kind: "redeploy", dryRun })])]);
    },
  };
};
