import {
  GetSecretValueCommand,
  InvalidParameterException,
  InvalidRequestException,
  ResourceNotFoundException,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from "@aws-sdk/client-secrets-manager";
import type { AwsSecretReader } from "@openemr-ops/core/config/secrets";
import { type OpsError, SecretStoreUnavailableError, SecretUnreadableError } from "@openemr-ops/core/errors";

const toSecretError = (arn: string, error: unknown): OpsError => {
  if (error instanceof ResourceNotFoundException) {
    return new SecretUnreadableError(`there is no secret ${arn}; check the ARN and the account`, { cause: error });
  }
  if (error instanceof InvalidRequestException || error instanceof InvalidParameterException) {
    return new SecretUnreadableError(`the secret ${arn} cannot be read; is it marked for deletion?`, { cause: error });
  }
  const denied =
    error instanceof Error &&
    /AccessDenied|UnrecognizedClient|InvalidClientToken|ExpiredToken|InvalidSignature|CredentialsProvider|DecryptionFailure/.test(
      error.name,
    );
  if (denied) {
    const advice = "allow this role secretsmanager:GetSecretValue and kms:Decrypt, or check its credentials";
    return new SecretUnreadableError(`reading the secret ${arn} was refused; ${advice}`, { cause: error });
  }
  const status = error instanceof SecretsManagerServiceException ? ` (${error.name})` : "";
  return new SecretStoreUnavailableError(`Secrets Manager does not answer for ${arn}${status}`, { cause: error });
};

const fieldOf = (arn: string, text: string, key: string | undefined): string => {
  const value = parseObject(text);
  if (value === undefined) {
    if (key === undefined) return text;
    throw new SecretUnreadableError(`the secret ${arn} is no JSON object; leave "#${key}" off its ARN`);
  }
  const name = key ?? "password";
  const field = Object.hasOwn(value, name) ? value[name] : undefined;
  if (typeof field === "string") return field;
  throw new SecretUnreadableError(
    `the secret ${arn} lacks a text under "${name}"; add "#name" of the right field to its ARN`,
  );
};

/** The secret as a JSON object, or `undefined` when it is plain text. */
const parseObject = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
};

/** The region that a Secrets Manager ARN names. */
const regionOf = (arn: string): string | undefined => arn.split(":")[3];

/**
 * Reads the current version of a secret in AWS Secrets Manager, in the region of its ARN. A JSON object's `password` counts,
 * or the field that `key` names; any other text counts whole.
 *
 * @param createClient for tests and for credentials of one's own
 * @throws {SecretUnreadableError} fatal: absent, refused, or without that field
 * @throws {SecretStoreUnavailableError} retryable
 */
export const awsSecret =
  (
    createClient: (region: string | undefined) => Pick<SecretsManagerClient, "send"> = (region) =>
      new SecretsManagerClient(region === undefined ? {} : { region }),
  ): AwsSecretReader =>
  async (arn, key) => {
    const answer = await createClient(regionOf(arn))
      .send(new GetSecretValueCommand({ SecretId: arn }))
      .catch((error: unknown) => {
        throw toSecretError(arn, error);
      });
    if (answer.SecretString !== undefined) return fieldOf(arn, answer.SecretString, key);
    throw new SecretUnreadableError(`the secret ${arn} holds bytes, not text; store it as text`);
  };
