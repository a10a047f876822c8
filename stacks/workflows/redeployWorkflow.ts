import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import type { RedeployFunctions } from "../redeployFunctions.ts";
import { healthStep } from "./proveOpenEmr.ts";
import { redeployment } from "./redeployment.ts";
import { reportFailure } from "./reportFailure.ts";
import { acceptInput, begin, finish, type Workflow } from "./steps.ts";

/** Deploys OpenEMR's service anew, and looks whether OpenEMR works then, where that can be looked at. */
export const redeployWorkflow = (
  scope: Construct,
  workflow: Workflow,
  { look, ...functions }: RedeployFunctions,
): IChainable => {
  const started = begin(scope, workflow);
  const health = look && healthStep(scope, look);
  const finished = finish(scope, workflow, "$.deployed", ...(health ? ["$.health"] : []));
  const redeployed = redeployment(scope, functions, health ? health.next(finished) : finished);
  reportFailure(scope, workflow, [started, ...redeployed.mayFail, ...(health ? [health] : []), finished]);
  return acceptInput(scope).next(started).next(redeployed.first);
};
