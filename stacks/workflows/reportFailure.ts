import { Duration } from "aws-cdk-lib";
import { type CustomState, Errors, Fail, JsonPath, type TaskStateBase } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { caller, functionStep, type Workflow } from "./steps.ts";

/**
 * Records and publishes every failure of these states; then the execution fails with the domain's error name. If that fails
 * too, it fails with the first failure's name, and the rule on ended executions closes the job.
 *
 * @returns the step that reports, for what has to be done before it
 */
export const reportFailure = (
  scope: Construct,
  workflow: Workflow,
  states: readonly (CustomState | TaskStateBase)[],
): TaskStateBase => {
  const failed = new Fail(scope, "Job failed", { errorPath: "$.failure.Error", causePath: "$.failure.Cause" });
  const untold = new Fail(scope, "Job failed untold", {
    errorPath: "$.failure.Error",
    causePath: "States.JsonToString($.failure)", // a failure may have no cause
  });
  const report = functionStep(scope, "Report failure", {
    lambdaFunction: workflow.fail,
    payload: { ...caller(workflow), failure: JsonPath.objectAt("$.failure"), state: JsonPath.entirePayload },
    resultSelector: {
      Error: JsonPath.stringAt("$.Payload.name"),
      Cause: JsonPath.stringAt("$.Payload.message"),
    },
    resultPath: "$.failure",
  });
  report.addRetry({ errors: [Errors.ALL], interval: Duration.seconds(5), backoffRate: 2, maxAttempts: 4 });
  report.addCatch(untold, { resultPath: JsonPath.DISCARD }).next(failed);
  for (const state of states) state.addCatch(report, { errors: [Errors.ALL], resultPath: "$.failure" });
  return report;
};
