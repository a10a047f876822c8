import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Add dumps at one installation's destination. The bucket's versions protect against overwriting. No right to delete. */
export const writeDumps = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    resources: [dumpsPlace(stack, place).objects()],
  }),
];
