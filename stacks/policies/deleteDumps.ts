import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Delete below one installation's destination: for retention only. Versions and Object Lock of the bucket still apply. */
export const deleteDumps = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["s3:DeleteObject"], resources: [dumpsPlace(stack, dumps).objects()] }),
];
