import { Duration, RemovalPolicy, type Stack } from "aws-cdk-lib";
import { type IKey, Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { accept } from "./accepted/accept.ts";
import { noReplica, readsAreOfTheTrail } from "./accepted/findings.ts";

/** The key of an installation's exports. */
export const exportKey = (stack: Stack, id: string, removable: boolean): Key =>
  new Key(stack, "ExportKey", {
    description: `Encrypts the exports of ${id}`,
    enableKeyRotation: true,
    removalPolicy: removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
  });

/**
 * The bucket of an installation's exports, with a key of its own: whoever may open exports opens nothing of the control plane.
 * Outside a developer's stage both stay when the stack goes. CloudFormation deletes no bucket with objects in it.
 */
export const exportBucket = (stack: Stack, name: string, encryptionKey: IKey, removable: boolean): void => {
  const removalPolicy = removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
  new Bucket(stack, "ExportBucket", {
    bucketName: name,
    encryption: BucketEncryption.KMS,
    encryptionKey,
    bucketKeyEnabled: true, // a request to KMS for each of a million files costs more than the files
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      {
        abortIncompleteMultipartUploadAfter: Duration.days(7),
        noncurrentVersionExpiration: Duration.days(30),
        expiredObjectDeleteMarker: true,
      },
    ],
    removalPolicy,
  });
  accept(stack, "ExportBucket/Resource", readsAreOfTheTrail, noReplica);
};
