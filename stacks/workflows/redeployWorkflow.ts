import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable, TaskStateBase } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { redeployment } from "./redeployment.ts";
import { reportFailure } from "./reportFailure.ts";
import { acceptInput, begin, finish, type Workflow } from "./steps.ts";

/** Deploys OpenEMR's service anew, and looks whether OpenEMR works then, where that can be looked at. */
export const redeployWorkflow = (
  scope: Construct,
  workflow: Workflow,
  functions: { readonly start: IFunction; readonly follow: IFunction },
  health: TaskStateBase | undefined,
): IChainable => {
  const started = begin(scope, workflow);
  const finished = finish(scope, workflow, "$.deployed", ...(health ? ["$.health"] : []));
  const redeployed = redeployment(scope, functions, health ? health.next(finished) : finished);
  reportFailure(scope, workflow, [started, ...redeployed.mayFail, ...(health ? [health] : []), finished]);
  return acceptInput(scope).next(started).next(redeployed.first);
};
