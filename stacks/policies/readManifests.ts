import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Read what database exports say of themselves, and no row of theirs. */
export const readManifests = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["s3:GetObject"], resources: [dumpsPlace(stack, place).objects("*/_manifest.json")] }),
];
