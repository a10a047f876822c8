import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

const seals = ["_SUCCESS", "_INCOMPLETE"];

/**
 * Read what exports of the sites say of themselves, and no file of theirs, nor its name. S3 answers "forbidden" for an absent
 * object to who may not list it.
 */
export const readSeals = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => {
  const { bucket, prefix, objects } = dumpsPlace(stack, place);
  return [
    new PolicyStatement({ actions: ["s3:GetObject"], resources: seals.map(objects) }),
    new PolicyStatement({
      actions: ["s3:ListBucket"],
      resources: [bucket],
      conditions: { StringLike: { "s3:prefix": seals.map((name) => `${prefix}/${name}`) } },
    }),
  ];
};
