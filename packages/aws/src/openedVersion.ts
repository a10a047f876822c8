import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { RotationRefusedError } from "@openemr-ops/core/errors";
import { secretsClient, secretText, toSecretError } from "./awsSecret.ts";

/**
 * Gives a text, made of the current one, to the version that Secrets Manager opened for a rotation: it opens one without a
 * text, which nobody can read. A version that has a text keeps it, and a pending version of somebody else stays the pending one.
 *
 * @throws {RotationRefusedError} fatal: the secret has no current text
 * @throws {SecretUnreadableError} fatal
 * @throws {SecretStoreUnavailableError} retryable
 */
export const fillOpenedVersion =
  (
    arn: string,
    textFor: (current: string) => string,
    client: Pick<SecretsManagerClient, "send"> = secretsClient(arn),
  ): ((token: string) => Promise<void>) =>
  async (token) => {
    const failure = (action: string) => (error: unknown) => {
      throw toSecretError(arn, error, action);
    };
    const hasText = async (id: string): Promise<boolean> => {
      try {
        await secretText(client, arn, { document: true, version: { id, stage: "AWSPENDING" } });
        return true;
      } catch (error) {
        if (error instanceof Error && error.cause instanceof ResourceNotFoundException) return false;
        throw error;
      }
    };
    const { VersionIdsToStages = {} } = await client
      .send(new DescribeSecretCommand({ SecretId: arn }))
      .catch(failure("DescribeSecret"));
    const labelled = (label: string) =>
      Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes(label));
    if (labelled("AWSCURRENT") === undefined)
      throw new RotationRefusedError(
        `the secret ${arn} has no current text: remove AWSPENDING from version ${token} (aws secretsmanager update-secret-version-stage), and start the workflow RotateDatabaseCredential with {} for the first rotation`,
      );
    const pending = labelled("AWSPENDING");
    if (pending !== undefined && (pending !== token || (await hasText(token)))) return;
    const text = textFor(await secretText(client, arn, { document: true }));
    await client
      .send(
        new PutSecretValueCommand({
          SecretId: arn,
          ClientRequestToken: token,
          SecretString: text,
          VersionStages: ["AWSPENDING"],
        }),
      )
      .catch((error: unknown) => {
        if (error instanceof ResourceExistsException) return; // it has a text, which is not seen everywhere yet
        failure("PutSecretValue")(error);
      });
  };
