import type { Stack } from "aws-cdk-lib";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps, DumpsBucket } from "../deployment.ts";

/** Rights in S3, where a role opens the bucket; none where the store has credentials of its own. */
export const onBucket = (
  stack: Stack,
  { bucket }: Pick<DeployedDumps, "bucket">,
  ...grants: readonly ((stack: Stack, place: DumpsBucket) => readonly PolicyStatement[])[]
): readonly PolicyStatement[] => (bucket ? grants.flatMap((grant) => grant(stack, bucket)) : []);
