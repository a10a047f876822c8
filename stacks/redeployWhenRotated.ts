import type { StartRequest } from "@openemr-ops/events/workflowSteps";
import { Duration, type Stack } from "aws-cdk-lib";
import { EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Queue } from "aws-cdk-lib/aws-sqs";
import type { ControlPlane } from "./ControlPlaneStack.ts";

/**
 * Deploys OpenEMR's service anew once Secrets Manager has rotated one of these secrets, whoever asked for it. CloudTrail reports it,
 * by the ARN with the six characters at its end. Events that come twice start one job.
 */
export const redeployWhenRotated = (
  stack: Stack,
  installation: string,
  secrets: readonly string[],
  stateMachine: string,
  ruleName: string,
  { start, undeliveredEvents }: ControlPlane,
): void => {
  const request: StartRequest = {
    kind: "redeploy",
    installation,
    stateMachine,
    dueAt: EventField.time,
    input: { installation },
  };
  new Rule(stack, "SecretRotatedRule", {
    ruleName, // by its beginning the queue knows it: a statement for each would outgrow the queue's policy
    description: `Secrets that OpenEMR of ${installation} reads when it starts, and that were rotated`,
    eventPattern: {
      source: ["aws.secretsmanager"],
      detail: {
        eventSource: ["secretsmanager.amazonaws.com"],
        eventName: ["RotationSucceeded"],
        additionalEventData: { SecretId: secrets.map((prefix) => ({ prefix })) },
      },
    },
    targets: [
      new LambdaFunction(start, {
        event: RuleTargetInput.fromObject(request),
        // As one of another stack: its policy, which is there, takes what rules of installations leave.
        deadLetterQueue: Queue.fromQueueArn(stack, "UndeliveredEvents", undeliveredEvents.queueArn),
        maxEventAge: Duration.hours(24),
        retryAttempts: 185,
      }),
    ],
  });
};
