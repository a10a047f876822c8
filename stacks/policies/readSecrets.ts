import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps } from "../deployment.ts";
import { viaService } from "../region.ts";

/** A secret's ARN in a policy: with the six characters that Secrets Manager adds to the name. */
const wholeArn = (arn: string): string => (/-[A-Za-z0-9]{6}$/.test(arn) ? arn : `${arn}-??????`);

/**
 * Read these secrets only; the list may be empty. They may be encrypted with a customer managed key that is not known here, so
 * decryption is allowed with any key, but only through Secrets Manager and only for these secrets.
 */
export const readSecrets = (stack: Stack, secrets: readonly { readonly arn: string }[]): readonly PolicyStatement[] => {
  const arns = [...new Set(secrets.map(({ arn }) => wholeArn(arn)))];
  if (arns.length === 0) return [];
  const regions = [...new Set(arns.map((arn) => arn.split(":")[3] ?? stack.region))];
  return [
    new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: arns }),
    new PolicyStatement({
      actions: ["kms:Decrypt"],
      resources: regions.map((region) => `arn:${stack.partition}:kms:${region}:*:key/*`),
      conditions: {
        StringEquals: { "kms:ViaService": regions.flatMap((region) => viaService("secretsmanager", region)) },
        StringLike: { "kms:EncryptionContext:SecretARN": arns },
      },
    }),
  ];
};

/** Read the credentials of a store that has its own; nothing where a role opens the bucket. */
export const readStoreSecret = (stack: Stack, { secrets }: DeployedDumps): readonly PolicyStatement[] =>
  readSecrets(stack, secrets.store ? [secrets.store] : []);
