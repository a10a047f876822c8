import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Leaving what could not be delivered in a queue. */
export const sendToQueue = (queue: { readonly queueArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["sqs:SendMessage"], resources: [queue.queueArn] }),
];
