import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { viaService } from "../region.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/**
 * Decrypt and encrypt objects with a customer managed key. The key is not known here, so any key is allowed, but only through
 * S3 and only for this bucket or this installation's objects in it.
 */
const keys = (stack: Stack, place: DumpsBucket, write: boolean): readonly PolicyStatement[] => {
  const { bucket, objects } = dumpsPlace(stack, place);
  const region = place.region ?? stack.region;
  return [
    new PolicyStatement({
      actions: ["kms:Decrypt", ...(write ? ["kms:GenerateDataKey"] : [])],
      resources: [`arn:${stack.partition}:kms:${region}:*:key/*`],
      conditions: {
        StringEquals: { "kms:ViaService": viaService("s3", region) },
        StringLike: { "kms:EncryptionContext:aws:s3:arn": [bucket, objects()] },
      },
    }),
  ];
};

export const openDumps = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => keys(stack, place, true);

/** The same for who only reads. */
export const openToRead = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => keys(stack, place, false);
