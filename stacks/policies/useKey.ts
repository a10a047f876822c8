import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { viaService } from "../region.ts";

const actions = {
  /** Source: docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html. */
  dynamodb: [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ],
  /** Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html. */
  sqs: ["kms:Decrypt", "kms:GenerateDataKey"],
} as const;

/** Use the control plane's key through one service, never directly. */
export const useKey = (
  stack: Stack,
  key: { readonly keyArn: string },
  service: keyof typeof actions,
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: [...actions[service]],
    resources: [key.keyArn],
    conditions: { StringEquals: { "kms:ViaService": viaService(service, stack.region) } },
  }),
];
