import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Take messages from a queue, as Lambda does for a function that a queue feeds. */
export const receiveFromQueue = (queue: { readonly queueArn: string }): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    resources: [queue.queueArn],
  }),
];
