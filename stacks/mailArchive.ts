import { Duration, RemovalPolicy, type Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { accept } from "./accepted/accept.ts";
import { mailIsForwarded, readsOfMailAreOfTheTrail } from "./accepted/findings.ts";

export interface MailArchiveSettings {
  readonly id: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly retentionDays: number;
  /** ARN of the receipt rule that writes. */
  readonly rule: string;
  readonly removable: boolean;
}

/**
 * The bucket in which SES stores messages, with a key of its own. The bucket encrypts, not SES: SES would encrypt for a client
 * that has the key. One receipt rule may write, below one prefix, and what is older than the retention goes, its versions too.
 */
export const mailArchive = (stack: Stack, settings: MailArchiveSettings) => {
  const { id, bucket: bucketName, prefix, retentionDays, rule, removable } = settings;
  const removalPolicy = removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
  const ses = new ServicePrincipal("ses.amazonaws.com");
  const conditions = {
    StringEquals: { "aws:SourceAccount": stack.account },
    ArnEquals: { "aws:SourceArn": rule },
  };
  const key = new Key(stack, "MailKey", {
    description: `Encrypts the received mail of ${id}`,
    enableKeyRotation: true,
    removalPolicy,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [ses],
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      resources: ["*"], // in a key's own policy: this key
      conditions,
    }),
  );
  const bucket = new Bucket(stack, "MailArchive", {
    bucketName,
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      { expiration: Duration.days(retentionDays), noncurrentVersionExpiration: Duration.days(1) },
      { expiredObjectDeleteMarker: true, abortIncompleteMultipartUploadAfter: Duration.days(7) },
    ],
    removalPolicy,
  });
  bucket.addToResourcePolicy(
    new PolicyStatement({
      principals: [ses],
      actions: ["s3:PutObject"],
      resources: [bucket.arnForObjects(`${prefix}*`)],
      conditions,
    }),
  );
  accept(stack, "MailArchive/Resource", readsOfMailAreOfTheTrail, mailIsForwarded);
  return { bucket, key };
};
