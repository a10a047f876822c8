import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";
import { listDumps } from "./listDumps.ts";

/** List and read objects at one installation's destination, and nothing else in the bucket. */
export const readDumps = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => [
  ...listDumps(stack, dumps),
  new PolicyStatement({ actions: ["s3:GetObject"], resources: [dumpsPlace(stack, dumps).objects()] }),
];
