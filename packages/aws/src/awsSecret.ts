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

/** What an error of Secrets Manager means. @param action the right that the call needs, without its service */
export const toSecretError = (arn: string, error: unknown, action = "GetSecretValue"): OpsError => {
  // AWS and its emulators have one error for both, and a label for each value in its message.
  if (error instanceof ResourceNotFoundException && /staging label|AWSCURRENT|VersionId/.test(error.message)) {
    return new SecretUnreadableError(
      `the secret ${arn} has no value yet; store one, or let PrepareDatabaseUsers make a database user's`,
      { cause: error },
    );
  }
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
    const keys = action === "PutSecretValue" ? "kms:Decrypt and kms:GenerateDataKey" : "kms:Decrypt";
    const advice = `allow this role secretsmanager:${action} and ${keys}, or check its credentials`;
    const doing = action === "GetSecretValue" ? "reading the secret" : `${action} of the secret`;
    return new SecretUnreadableError(`${doing} ${arn} was refused; ${advice}`, { cause: error });
  }
  const status = error instanceof SecretsManagerServiceException ? ` (${error.name})` : "";
  return new SecretStoreUnavailableError(`Secrets Manager does not answer for ${arn}${status}`, { cause: error });
};

/** One field of a secret's text (default: `password`), or the text where it is no JSON object. */
export const fieldOf = (arn: string, text: string, key: string | undefined): string => {
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

const clientIn = (region: string | undefined): SecretsManagerClient =>
  new SecretsManagerClient(region === undefined ? {} : { region });

/** A client of the region in a secret's ARN. */
export const secretsClient = (arn: string): SecretsManagerClient => clientIn(regionOf(arn));

interface WantedText {
  readonly key?: string | undefined;
  readonly document?: boolean | undefined;
  /** Not set: the current one. One that has lost the label is not found. */
  readonly version?: { readonly id: string; readonly stage: string } | undefined;
}

/** The text of one version of a secret, or of its field. @throws as `awsSecret` does */
export const secretText = async (
  client: Pick<SecretsManagerClient, "send">,
  arn: string,
  { key, document = false, version }: WantedText,
): Promise<string> => {
  const answer = await client
    .send(
      new GetSecretValueCommand({
        SecretId: arn,
        ...(version ? { VersionId: version.id, VersionStage: version.stage } : {}),
      }),
    )
    .catch((error: unknown) => {
      throw toSecretError(arn, error);
    });
  const { SecretString: whole } = answer;
  if (whole !== undefined) return document && key === undefined ? whole : fieldOf(arn, whole, key);
  throw new SecretUnreadableError(`the secret ${arn} contains bytes, not text; store it as text`);
};

/**
 * Reads the current version of a secret in AWS Secrets Manager, in the region of its ARN. From a JSON object it takes the field
 * `key` (default: `password`); any other text is used whole, and so is each of which a document is expected.
 *
 * @param createClient for tests and for other credentials
 * @throws {SecretUnreadableError} fatal: missing, refused, or without that field
 * @throws {SecretStoreUnavailableError} retryable
 */
export const awsSecret =
  (createClient: (region: string | undefined) => Pick<SecretsManagerClient, "send"> = clientIn): AwsSecretReader =>
  async (arn, key, document) =>
    secretText(createClient(regionOf(arn)), arn, { key, document });
