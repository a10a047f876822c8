import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";

/** Where a repository lies, in restic's words. */
export interface ResticLocation {
  readonly repository: string;
  readonly options: readonly string[];
  /** Credentials and region by environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether this is a store of objects; a directory needs no cache beside it. */
  readonly cached: boolean;
}

const passedOn = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_CONFIG_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "GOOGLE_PROJECT_ID",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_ACCESS_TOKEN",
  "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
  "STORAGE_EMULATOR_HOST",
];

/**
 * Translates a destination for restic.
 *
 * @param environment the program's own; only credentials for object stores are passed on
 */
export const resticLocation = (
  address: DestinationAddress,
  environment: Readonly<Record<string, string | undefined>>,
): ResticLocation => {
  if (address.kind === "file") return { repository: address.directory, options: [], environment: {}, cached: false };
  const passed: Record<string, string> = {};
  for (const name of passedOn) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  if (address.kind === "gcs")
    return {
      repository: `gs:${address.bucket}:/${address.prefix}`,
      options: [],
      environment: { GOOGLE_PROJECT_ID: "unused", ...passed }, // asked for only when a bucket is to be made
      cached: true,
    };
  const region = address.region ?? passed.AWS_REGION ?? passed.AWS_DEFAULT_REGION ?? "us-east-1";
  const server = address.endpoint ?? `https://s3.${region}.amazonaws.com`;
  return {
    repository: `s3:${[server, address.bucket, address.prefix].filter(Boolean).join("/")}`,
    options: ["-o", `s3.bucket-lookup=${address.pathStyle ? "path" : "dns"}`],
    environment: { ...passed, AWS_DEFAULT_REGION: region },
    cached: true,
  };
};
