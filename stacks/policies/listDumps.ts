import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/**
 * List the names of objects at one installation's destination, and nothing else in the bucket. The prefix ends with a slash:
 * a list of `clinic-a` without it would show the objects of `clinic-a-b`.
 */
export const listDumps = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => {
  const { bucket, prefix } = dumpsPlace(stack, place);
  return [
    new PolicyStatement({ actions: ["s3:GetBucketLocation"], resources: [bucket] }),
    new PolicyStatement({
      actions: ["s3:ListBucket"],
      resources: [bucket],
      ...(prefix ? { conditions: { StringLike: { "s3:prefix": [`${prefix}/*`] } } } : {}),
    }),
  ];
};
