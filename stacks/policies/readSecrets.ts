import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { DeployedDumps, DeployedExports } from "../deployment.ts";
import { viaService } from "../region.ts";

interface NamedSecret {
  readonly arn: string;
}

/** A secret's ARN in a policy: with the six characters that Secrets Manager adds to the name. */
export const wholeArn = (arn: string): string => (/-[A-Za-z0-9]{6}$/.test(arn) ? arn : `${arn}-??????`);

const wholeArns = (secrets: readonly NamedSecret[]): string[] => [...new Set(secrets.map(({ arn }) => wholeArn(arn)))];

/**
 * These secrets may be encrypted with a customer managed key that is not known here, so its use is allowed with any key, but
 * only through Secrets Manager and only for these secrets.
 */
export const useSecretKeys = (stack: Stack, arns: readonly string[], action: string): PolicyStatement => {
  const regions = [...new Set(arns.map((arn) => arn.split(":")[3] ?? stack.region))];
  return new PolicyStatement({
    actions: [action],
    resources: regions.map((region) => `arn:${stack.partition}:kms:${region}:*:key/*`),
    conditions: {
      StringEquals: { "kms:ViaService": regions.flatMap((region) => viaService("secretsmanager", region)) },
      StringLike: { "kms:EncryptionContext:SecretARN": [...arns] },
    },
  });
};

/** Read these secrets only; the list may be empty. */
export const readSecrets = (stack: Stack, secrets: readonly NamedSecret[]): readonly PolicyStatement[] => {
  const arns = wholeArns(secrets);
  if (arns.length === 0) return [];
  return [
    new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: arns }),
    useSecretKeys(stack, arns, "kms:Decrypt"),
  ];
};

const writing = (
  stack: Stack,
  secrets: readonly NamedSecret[],
  actions: readonly string[],
): readonly PolicyStatement[] => {
  const arns = wholeArns(secrets);
  return [
    new PolicyStatement({ actions: actions.map((name) => `secretsmanager:${name}`), resources: arns }),
    useSecretKeys(stack, arns, "kms:GenerateDataKey"),
  ];
};

/** Write new versions of these secrets, and choose the current one; deleting and policies are not among it. */
export const writePasswords = (stack: Stack, secrets: readonly NamedSecret[]): readonly PolicyStatement[] =>
  writing(stack, secrets, ["DescribeSecret", "PutSecretValue", "UpdateSecretVersionStage"]);

/** Write versions of these secrets, and change which one is current by no call of its own. */
export const writeVersions = (stack: Stack, secrets: readonly NamedSecret[]): readonly PolicyStatement[] =>
  writing(stack, secrets, ["DescribeSecret", "PutSecretValue"]);

/** Read the credentials of stores that have their own; nothing where a role opens the bucket. */
export const readStoreSecret = (
  stack: Stack,
  ...stores: readonly Pick<DeployedDumps | DeployedExports, "secrets">[]
): readonly PolicyStatement[] =>
  readSecrets(
    stack,
    stores.flatMap(({ secrets }) => secrets.store ?? []),
  );
