import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { JsonPath, type TaskStateBase } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { functionStep, reportOf } from "./steps.ts";

/** Looks whether OpenEMR works, for three minutes: new containers have to take up their work first. */
export const healthStep = (scope: Construct, look: IFunction): TaskStateBase =>
  functionStep(scope, "Check health", {
    lambdaFunction: look,
    payload: { job: JsonPath.objectAt("$.job"), input: JsonPath.objectAt("$.input") },
    resultSelector: reportOf,
    resultPath: "$.health",
  }).addRetry({
    errors: ["InstallationUnhealthyError"],
    interval: Duration.seconds(15),
    backoffRate: 1,
    maxAttempts: 12,
  });
