import { deploymentProblem } from "@openemr-ops/rotation/redeploy/judgeDeployment";
import { taskHandler } from "../shared/taskHandler.ts";
import { openRedeployment, type RedeploymentState, startRequest } from "./deployment.ts";

const { service, hold, note } = openRedeployment(process.env);

/**
 * Has ECS replace all tasks of OpenEMR by new ones. Called again, it starts another deployment, which takes the place of the
 * first: only the last one is followed.
 */
export const handler = taskHandler(startRequest, async ({ job, lookOnly }): Promise<RedeploymentState> => {
  const { name } = service;
  const view = await service.view();
  const problem = deploymentProblem(view, name);
  if (problem) throw problem;
  const figures = { tasks: view.desired };
  const startedAt = new Date().toISOString();
  if (job.dryRun || lookOnly)
    return {
      state: "planned",
      id: "",
      startedAt,
      looks: 0,
      figures,
      result: { redeploy: `would deploy ${name} anew` },
    };
  await hold(job);
  const id = await service.deploy();
  await note(job, "redeploy", figures);
  return { state: "underWay", id, startedAt, looks: 0, figures, result: { deployment: id } };
});
