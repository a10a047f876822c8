import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { viaService } from "../region.ts";

/** Read messages of one archive, which its key encrypts. No right to list: whoever has a message's name may read it. */
export const readMail = (
  stack: Stack,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  key: { readonly keyArn: string },
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:GetObject"],
    resources: [`arn:${stack.partition}:s3:::${bucket}/${prefix}*`],
  }),
  new PolicyStatement({
    actions: ["kms:Decrypt"],
    resources: [key.keyArn],
    conditions: { StringEquals: { "kms:ViaService": viaService("s3", stack.region) } },
  }),
];
