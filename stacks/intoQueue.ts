import { Duration } from "aws-cdk-lib";
import type { IRule, IRuleTarget } from "aws-cdk-lib/aws-events";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Queue } from "aws-cdk-lib/aws-sqs";

/** Lets one rule send to a queue. CDK's own target lets every rule of every account send to an encrypted one. */
const letSend = ({ ruleArn }: IRule, queue: Queue): void => {
  queue.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal("events.amazonaws.com")],
      actions: ["sqs:SendMessage"],
      resources: [queue.queueArn],
      conditions: { ArnEquals: { "aws:SourceArn": ruleArn } },
    }),
  );
};

/** A rule's target: a queue that keeps the order of a group. What it does not take in a day goes to `undelivered`. */
export const intoQueue = (queue: Queue, messageGroupId: string, undelivered: Queue): IRuleTarget => ({
  bind: (rule) => {
    letSend(rule, queue);
    letSend(rule, undelivered);
    return {
      arn: queue.queueArn,
      sqsParameters: { messageGroupId },
      deadLetterConfig: { arn: undelivered.queueArn },
      retryPolicy: { maximumEventAgeInSeconds: Duration.hours(24).toSeconds(), maximumRetryAttempts: 185 },
    };
  },
});
