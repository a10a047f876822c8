/** Keys that a store gave: of a server with the S3 API, or of another account of AWS. */
export interface StoreKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What Google gave: a service account's key, or where a token of another identity is exchanged. Google's libraries know the rest. */
export type GoogleCredentials = Readonly<Record<string, unknown>> & {
  readonly type: "service_account" | "external_account";
};

export type StoreCredentials =
  | { readonly kind: "s3"; readonly keys: StoreKeys }
  | { readonly kind: "gcs"; readonly google: GoogleCredentials };

const forms =
  'expected JSON: { "accessKeyId", "secretAccessKey" } for s3://; for gs:// what Google gave, with "type" "service_account" or "external_account"';

const objectOf = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // the parser's message quotes the text
  }
};

const isText = (value: unknown): value is string => typeof value === "string" && value !== "" && !/\s/.test(value);

/** Addresses of Google, where a token may be exchanged: whoever writes another one there would get what we sign. */
const googleAddress = /^https:\/\/([a-z0-9-]+\.)*googleapis\.com\//;

const isGoogle = (value: Readonly<Record<string, unknown>>): value is GoogleCredentials => {
  const addresses = ["token_uri", "token_url", "service_account_impersonation_url"].map((name) => value[name]);
  if (!addresses.every((address) => address === undefined || googleAddress.test(String(address)))) return false;
  if (value.type === "service_account") return isText(value.client_email) && typeof value.private_key === "string";
  return value.type === "external_account" && isText(value.audience) && isText(value.subject_token_type);
};

/** Reads what a secret contains; the problem is in words that follow its name, and never quotes it. */
export const parseStoreCredentials = (
  text: string,
): { readonly credentials: StoreCredentials } | { readonly problem: string } => {
  const value = objectOf(text);
  if (!value) return { problem: `is no JSON object; ${forms}` };
  const { accessKeyId, secretAccessKey } = value;
  if (isText(accessKeyId) && isText(secretAccessKey))
    return { credentials: { kind: "s3", keys: { accessKeyId, secretAccessKey } } };
  if (isGoogle(value)) return { credentials: { kind: "gcs", google: value } };
  return { problem: `has other fields; ${forms}` };
};
