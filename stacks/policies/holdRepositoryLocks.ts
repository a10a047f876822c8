import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedInstallation } from "../deployment.ts";
import { dumpsPlace } from "./dumpsPlace.ts";

/** What restic asks of every user of a repository: files of its own in `locks/`, which it removes again. */
export const holdRepositoryLocks = (stack: Stack, installation: DeployedInstallation): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:PutObject", "s3:DeleteObject"],
    resources: [dumpsPlace(stack, installation).objects("locks/*")],
  }),
];
