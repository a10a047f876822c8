import type { Stack } from "aws-cdk-lib";
import type { DeployedDumps } from "../deployment.ts";

/** An installation's destination in its bucket, as resources and prefixes of policies. */
export const dumpsPlace = (stack: Stack, { destination }: DeployedDumps) => {
  const bucket = `arn:${stack.partition}:s3:::${destination.bucket}`;
  const below = (rest: string) => [destination.prefix, rest].filter(Boolean).join("/");
  return { bucket, prefix: destination.prefix, objects: (rest = "*") => `${bucket}/${below(rest)}` };
};
