import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Adding dumps at one installation's destination. Overwriting is what the bucket's versions are for; deleting is not in here. */
export const writeDumps = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
    resources: [dumpsPlace(stack, dumps).objects()],
  }),
];
