import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Send undelivered messages to a queue. */
export const sendToQueue = (queue: { readonly queueArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [queue.queueArn] }),
];
