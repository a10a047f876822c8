import type { GoogleCredentials } from "@openemr-ops/core/storeCredentials";
import {
  type AuthClient,
  AwsClient,
  type AwsClientOptions,
  type AwsSecurityCredentials,
  ExternalAccountClient,
  type ExternalAccountClientOptions,
  JWT,
} from "google-auth-library";

/** Keys of the role that a program has in AWS, and its region. Asked for at each exchange: they end and are renewed. */
export interface AwsRole {
  readonly region: () => Promise<string>;
  readonly keys: () => Promise<AwsSecurityCredentials>;
}

const scopes = ["https://www.googleapis.com/auth/devstorage.read_write"];

/** Whether an identity in AWS is exchanged, by a request that its keys sign. */
const isOfAws = ({ type, credential_source: source }: GoogleCredentials): boolean =>
  type === "external_account" &&
  typeof source === "object" &&
  source !== null &&
  "environment_id" in source &&
  /^aws/.test(String(source.environment_id));

/**
 * The client of an identity of AWS. Google's libraries find AWS's keys only in variables and on a machine of EC2, not in a task
 * of Fargate; so they are given those that AWS's own SDK finds.
 *
 * @see https://github.com/googleapis/google-auth-library-nodejs/issues/1594
 */
const awsClient = ({ credential_source: _, ...rest }: GoogleCredentials, role: AwsRole): AwsClient =>
  new AwsClient({
    ...(rest as unknown as Omit<AwsClientOptions, "credential_source">),
    scopes,
    aws_security_credentials_supplier: { getAwsRegion: role.region, getAwsSecurityCredentials: role.keys },
  });

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The client that signs requests to Google with these credentials and renews its tokens. */
export const googleAuth = (google: GoogleCredentials, role: AwsRole): AuthClient => {
  if (isOfAws(google)) return awsClient(google, role);
  if (google.type === "service_account") {
    const { client_email: email, private_key: key, private_key_id: keyId } = google;
    return new JWT({ email: textOf(email), key: textOf(key), keyId: textOf(keyId), scopes });
  }
  const client = ExternalAccountClient.fromJSON(google as unknown as ExternalAccountClientOptions);
  if (!client) throw new TypeError("external_account was looked for when the secret was read");
  client.scopes = scopes;
  return client;
};

/** What another program of Google's making needs in files. `renew`: makes the identity's token, which ends after minutes. */
export interface GoogleFiles {
  /** @param tokenFile where the token will be found */
  readonly credentials: (tokenFile: string) => string;
  readonly renew?: () => Promise<string>;
}

/**
 * Credentials for Google's Go library. It exchanges what a file contains, and reads it again before the token that it got ends:
 * an identity of AWS needs no program and no key of AWS there, only a signed request that is renewed.
 */
export const googleFiles = (google: GoogleCredentials, role: AwsRole): GoogleFiles => {
  if (!isOfAws(google)) return { credentials: () => JSON.stringify(google) };
  const client = awsClient(google, role);
  return {
    credentials: (file) => JSON.stringify({ ...google, credential_source: { file } }),
    renew: () => client.retrieveSubjectToken(),
  };
};
