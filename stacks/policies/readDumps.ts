import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";
import { listDumps } from "./listDumps.ts";

/** List and read objects at one installation's destination, and nothing else in the bucket. */
export const readDumps = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  ...listDumps(stack, place),
  new PolicyStatement({ actions: ["s3:GetObject"], resources: [dumpsPlace(stack, place).objects()] }),
];
