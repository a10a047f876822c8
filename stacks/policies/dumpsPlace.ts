import type { Stack } from "aws-cdk-lib";
import type { DumpsBucket } from "../deployment.ts";

/** An installation's destination in its bucket, as resources and prefixes of policies. */
export const dumpsPlace = (stack: Stack, { bucket: name, prefix }: DumpsBucket) => {
  const bucket = `arn:${stack.partition}:s3:::${name}`;
  const below = (rest: string) => [prefix, rest].filter(Boolean).join("/");
  return { bucket, prefix, objects: (rest = "*") => `${bucket}/${below(rest)}` };
};
