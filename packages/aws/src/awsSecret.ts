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
    return new SecretUnreadableError(`the secret ${arn} does not exist; check the ARN and the account`, {
      cause: error,
    });
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

const fieldOf = (arn: string, text: string, key: string | undefined, document: boolean): string => {
  if (document && key === undefined) return text;
  const value = parseObject(text);
  if (value === undefined) {
    if (key === undefined) return text;
    throw new SecretUnreadableError(`the secret ${arn} is not a JSON object; remove "#${key}" from its ARN`);
  }
  const name = key ?? "password";
  const field = Object.hasOwn(value, name) ? value[name] : undefined;
  if (typeof field === "string") return field;
  throw new SecretUnreadableError(
    `the secret ${arn} has no text in the field "${name}"; add "#" and the right field to its ARN`,
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

/** The region in a Secrets Manager ARN. */
const regionOf = (arn: string): string | undefined => arn.split(":")[3];

/**
 * Reads the current version of a secret in AWS Secrets Manager, in the region of its ARN. From a JSON object it takes the field
 * `key` (default: `password`); any other text is used whole, and so is each of which a document is expected.
 *
 * @param createClient for tests and for other credentials
 * @throws {SecretUnreadableError} fatal: missing, refused, or without that field
 * @throws {SecretStoreUnavailableError} retryable
 */
export const awsSecret =
  (
    createClient: (region: string | undefined) => Pick<SecretsManagerClient, "send"> = (region) =>
      new SecretsManagerClient(region === undefined ? {} : { region }),
  ): AwsSecretReader =>
  async (arn, key, document = false) => {
    const answer = await createClient(regionOf(arn))
      .send(new GetSecretValueCommand({ SecretId: arn }))
      .catch((error: unknown) => {
        throw toSecretError(arn, error);
      });
    if (answer.SecretString !== undefined) return fieldOf(arn, answer.SecretString, key, document);
    throw new SecretUnreadableError(`the secret ${arn} contains bytes, not text; store it as text`);
  };
