import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Write the pages of reports beside the dumps, and nothing else. */
export const writeReports = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["s3:PutObject"], resources: [dumpsPlace(stack, place).objects("reports/*")] }),
];
