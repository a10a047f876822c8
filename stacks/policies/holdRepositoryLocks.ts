import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** What restic asks of every user of a repository: files of its own in `locks/`, which it removes again. */
export const holdRepositoryLocks = (stack: Stack, dumps: DeployedDumps): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:DeleteObject"],
    resources: [dumpsPlace(stack, dumps).objects("locks/*")],
  }),
];
