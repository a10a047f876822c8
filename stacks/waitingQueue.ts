import { Duration } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

/**
 * A queue whose messages wait in order until its function is done with them, for two weeks at most. One that fails comes
 * again after six minutes, six times as long as the function may run, and the others wait behind it.
 */
export const waitingQueue = (scope: Construct, id: string, key: IKey): Queue =>
  new Queue(scope, id, {
    fifo: true,
    contentBasedDeduplication: true, // EventBridge names no message; each event has an identifier of its own
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: key,
    dataKeyReuse: Duration.hours(1),
    visibilityTimeout: Duration.minutes(6),
    retentionPeriod: Duration.days(14),
    enforceSSL: true,
  });
