import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import {
  Choice,
  Condition,
  type IChainable,
  JsonPath,
  Pass,
  type TaskStateBase,
  Wait,
  WaitTime,
} from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { functionStep } from "./steps.ts";

const step = (scope: Construct, name: string, lambdaFunction: IFunction, payload: Readonly<Record<string, unknown>>) =>
  functionStep(scope, name, {
    lambdaFunction,
    payload: { job: JsonPath.objectAt("$.job"), ...payload },
    resultSelector: { now: JsonPath.objectAt("$.Payload") },
    resultPath: "$.redeployment",
  });

/** Looks whether OpenEMR's service could be deployed anew: it is asked before anything is changed. */
export const lookAtService = (scope: Construct, start: IFunction): TaskStateBase =>
  step(scope, "Look at service", start, { lookOnly: true });

/** Seconds between two looks at a deployment. OpenEMR needs 15 to 25 minutes. */
export const secondsBetweenLooks = 30;

interface Redeployment {
  readonly start: IFunction;
  readonly follow: IFunction;
}

/**
 * The states that deploy OpenEMR's service anew: one starts the deployment, one looks at it after each wait. The function that
 * looks ends them with an error where the deployment failed or takes too long.
 *
 * @returns the first state, and those that may fail. `$.deployed` is the report
 */
export const redeployment = (
  scope: Construct,
  { start, follow }: Redeployment,
  next: IChainable,
): { readonly first: TaskStateBase; readonly mayFail: readonly TaskStateBase[] } => {
  const started = step(scope, "Start deployment", start, {});
  const followed = step(scope, "Follow deployment", follow, { deployment: JsonPath.objectAt("$.redeployment.now") });
  const wait = new Wait(scope, "Wait for deployment", {
    time: WaitTime.duration(Duration.seconds(secondsBetweenLooks)),
  });
  const done = new Pass(scope, "Deployment is done", {
    parameters: {
      figures: JsonPath.objectAt("$.redeployment.now.figures"),
      result: JsonPath.objectAt("$.redeployment.now.result"),
    },
    resultPath: "$.deployed",
  });
  done.next(next);
  const underWay = new Choice(scope, "Deployment under way?")
    .when(Condition.stringEquals("$.redeployment.now.state", "underWay"), wait)
    .otherwise(done);
  wait.next(followed);
  started.next(underWay);
  followed.next(underWay);
  return { first: started, mayFail: [started, followed] };
};
