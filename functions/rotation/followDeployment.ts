import { judgeDeployment, usualLimitSeconds } from "@openemr-ops/rotation/redeploy/judgeDeployment";
import { readVariable } from "../shared/environment.ts";
import { taskHandler } from "../shared/taskHandler.ts";
import { followRequest, openRedeployment, type RedeploymentState } from "./deployment.ts";

const { service, hold, note } = openRedeployment(process.env);
/** Between two looks, as the workflow waits. */
const waitSeconds = Number(readVariable(process.env, "OPENEMR_OPS_WAIT_SECONDS"));

const { OPENEMR_OPS_LIMIT_SECONDS: limit } = process.env; // only where the configuration says it
const limitSeconds = limit ? Number(limit) : usualLimitSeconds;

/** One look at the deployment that a job started. The workflow waits between two. */
export const handler = taskHandler(followRequest, async ({ job, deployment }): Promise<RedeploymentState> => {
  const { id, result } = deployment;
  const looks = deployment.looks + 1;
  const startedAt = new Date(deployment.startedAt);
  // The number of looks bounds a workflow whose waits are shortened.
  const now = new Date(Math.max(Date.now(), startedAt.getTime() + looks * waitSeconds * 1000));
  const started = { id, service: service.name, startedAt, limitSeconds };
  await hold(job);
  const judged = judgeDeployment(started, await service.view(), now);
  if ("error" in judged) throw judged.error;
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1000);
  const figures = { ...deployment.figures, redeploySeconds: seconds };
  await note(job, judged.state === "underWay" ? `redeploy: ${judged.detail}` : "redeployed", figures);
  return { ...deployment, state: judged.state, looks, figures, result };
});
