import { retryableErrorNames } from "@openemr-ops/core/errors";
import { Duration } from "aws-cdk-lib";
import { CustomState, JsonPath } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import type { Containers } from "./steps.ts";

/** Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html, as states name them. */
const startFaults = [
  "StepFunctions.ExecutionLimitExceededException",
  "StepFunctions.SdkClientException",
  "StepFunctions.SfnException",
  "StepFunctions.ThrottlingException",
];

interface StartStep {
  /** ARN of the workflow. */
  readonly workflow: string;
  /** The job that starts is named after this one: a repeated start is the same job. */
  readonly suffix: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** A step that starts a job of another workflow and does not wait for it. */
export const startStep = (
  scope: Construct,
  name: string,
  { partition }: Pick<Containers, "partition">,
  { workflow, suffix, input }: StartStep,
): CustomState =>
  new CustomState(scope, name, {
    stateJson: {
      Type: "Task",
      Resource: `arn:${partition}:states:::states:startExecution`,
      TimeoutSeconds: Duration.minutes(2).toSeconds(),
      Parameters: {
        StateMachineArn: workflow,
        "Name.$": `States.Format('{}-${suffix}', $.job.jobId)`,
        Input: input,
      },
      ResultPath: JsonPath.DISCARD,
    },
  }).addRetry({
    errors: [...startFaults, ...retryableErrorNames.filter((error) => error !== "InstallationBusyError")],
    interval: Duration.seconds(5),
    backoffRate: 2,
    maxAttempts: 6,
  });
