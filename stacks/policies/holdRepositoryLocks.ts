import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** Write and delete restic's locks: every user of a repository writes files in `locks/` and removes them. */
export const holdRepositoryLocks = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:DeleteObject"],
    resources: [dumpsPlace(stack, dumps).objects("locks/*")],
  }),
];
