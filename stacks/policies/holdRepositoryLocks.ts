import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DumpsBucket } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Write and delete restic's locks: every user of a repository writes files in `locks/` and removes them. */
export const holdRepositoryLocks = (stack: Stack, place: DumpsBucket): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:DeleteObject"],
    resources: [dumpsPlace(stack, place).objects("locks/*")],
  }),
];
