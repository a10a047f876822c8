import { Duration } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

/**
 * A queue of what a function does again, in no order: after five minutes, and then each six, six times as long as the function
 * may run. What was delivered so often goes to `undelivered`, from where SQS can move it back.
 */
export const retryQueue = (
  scope: Construct,
  id: string,
  { key, undelivered, deliveries }: { readonly key: IKey; readonly undelivered: Queue; readonly deliveries: number },
): Queue =>
  new Queue(scope, id, {
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: key,
    dataKeyReuse: Duration.hours(1),
    deliveryDelay: Duration.minutes(5),
    visibilityTimeout: Duration.minutes(6),
    retentionPeriod: Duration.days(14),
    enforceSSL: true,
    deadLetterQueue: { queue: undelivered, maxReceiveCount: deliveries },
  });
