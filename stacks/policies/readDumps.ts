import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/**
 * Listing and reading what lies at one installation's destination, and nothing beside it in the bucket: a list of `clinic-a`
 * without the slash would show what lies in `clinic-a-b`.
 */
export const readDumps = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => {
  const { bucket, prefix, objects } = dumpsPlace(stack, dumps);
  return [
    new PolicyStatement({ actions: ["s3:GetBucketLocation"], resources: [bucket] }),
    new PolicyStatement({
      actions: ["s3:ListBucket"],
      resources: [bucket],
      ...(prefix ? { conditions: { StringLike: { "s3:prefix": [`${prefix}/*`] } } } : {}),
    }),
    new PolicyStatement({ actions: ["s3:GetObject"], resources: [objects()] }),
  ];
};
