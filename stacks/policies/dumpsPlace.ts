import type { Stack } from "aws-cdk-lib";
import type { DeployedDumps } from "../deployment.ts";

/** An installation's place in its bucket, in the words of policies. */
export const dumpsPlace = (stack: Stack, { destination }: DeployedDumps) => {
  const bucket = `arn:${stack.partition}:s3:::${destination.bucket}`;
  const below = (rest: string) => [destination.prefix, rest].filter(Boolean).join("/");
  return { bucket, prefix: destination.prefix, objects: (rest = "*") => `${bucket}/${below(rest)}` };
};
