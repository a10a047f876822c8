import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Record beside the dumps that one of them passed a check or a drill. */
export const noteVerifications = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject"],
    resources: [dumpsPlace(stack, place).objects("verifications/*")],
  }),
];
