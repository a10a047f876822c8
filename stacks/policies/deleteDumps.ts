import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Delete below one installation's destination: for retention only. Versions and Object Lock of the bucket still apply. */
export const deleteDumps = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["s3:DeleteObject"], resources: [dumpsPlace(stack, place).objects()] }),
];
