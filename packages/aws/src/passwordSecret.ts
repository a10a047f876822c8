import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { passwordIn } from "@openemr-ops/core/config/passwordText";
import type { SecretReference } from "@openemr-ops/core/config/secrets";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { PasswordVersion, StoredPassword } from "@openemr-ops/core/storedPassword";
import { secretsClient, secretText, toSecretError } from "./awsSecret.ts";

type Reference = Extract<SecretReference, { readonly kind: "aws" }>;

/** The labels of versions. Source: docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html. */
const labels = { current: "AWSCURRENT", pending: "AWSPENDING" } as const;

/**
 * A password in AWS Secrets Manager, by its ARN. A secret without a value has no version; the first one may become current
 * at once, whatever its label.
 */
export const passwordSecret = (
  { arn, key, field }: Reference,
  client: Pick<SecretsManagerClient, "send"> = secretsClient(arn),
): StoredPassword => {
  const refuse = (message: string): never => {
    throw new InvalidInputError([{ path: field, message }]);
  };
  const failure = (action: string) => (error: unknown) => {
    throw toSecretError(arn, error, action);
  };
  /** Identifiers of versions by label. */
  const labelled = async (): Promise<ReadonlyMap<string, string>> => {
    const { VersionIdsToStages = {} } = await client
      .send(new DescribeSecretCommand({ SecretId: arn }))
      .catch(failure("DescribeSecret"));
    return new Map(Object.entries(VersionIdsToStages).flatMap(([id, stages]) => stages.map((stage) => [stage, id])));
  };
  const passwordOf = async (id: string): Promise<string> => {
    const read = passwordIn(await secretText(client, arn, { key, version: id }));
    return "password" in read ? read.password : refuse(`the value of that secret ${read.problem}`);
  };
  return {
    field,
    versions: async () => {
      const ids = await labelled();
      const current = ids.get(labels.current);
      const found = new Set([current, ids.get(labels.pending)].filter((id) => id !== undefined));
      const versions: PasswordVersion[] = [];
      for (const id of found) versions.push({ id, password: await passwordOf(id), current: id === current });
      return versions;
    },
    writePending: async (password) => {
      if (key !== undefined) refuse(`names one field of a secret; a new password needs an empty one: remove "#${key}"`);
      const { VersionId: id, VersionStages = [] } = await client
        .send(new PutSecretValueCommand({ SecretId: arn, SecretString: password, VersionStages: [labels.pending] }))
        .catch(failure("PutSecretValue"));
      if (id === undefined) throw new TypeError("Secrets Manager names every version that it takes");
      return { id, password, current: VersionStages.includes(labels.current) };
    },
    makeCurrent: async ({ id }) => {
      const before = (await labelled()).get(labels.current);
      if (before === id) return;
      await client
        .send(
          new UpdateSecretVersionStageCommand({
            SecretId: arn,
            VersionStage: labels.current,
            MoveToVersionId: id,
            ...(before === undefined ? {} : { RemoveFromVersionId: before }),
          }),
        )
        .catch(failure("UpdateSecretVersionStage"));
    },
  };
};
