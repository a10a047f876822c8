import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { S3Access } from "@openemr-ops/core/s3Access";
import { getEndpointFromInstructions } from "@smithy/core/endpoints";
import { type S3Settings, s3Client } from "./s3Client.ts";
import { s3Failure } from "./s3Failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Keys as the SDK's chain of providers gives them. */
export interface FoundKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
  /** Providers that took part, by the SDK's names. */
  readonly $source?: Readonly<Record<string, unknown>> | undefined;
}

/** Keys that end sooner are renewed before a program is started with them: it cannot renew them itself. */
const shortestMilliseconds = 30 * 60 * 1000;

/** Files of the home directory in which restic would look first. */
const noFiles = { AWS_SHARED_CREDENTIALS_FILE: "/dev/null", MINIO_SHARED_CREDENTIALS_FILE: "/dev/null" };

const isLoopback = (url: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(URL.parse(url)?.hostname ?? "");

/** The variables with which restic asks the same source for keys, and again before they end; `undefined` where it cannot. */
const renewableBy = (
  { $source = {} }: FoundKeys,
  environment: Environment,
  region: string,
): Record<string, string> | undefined => {
  const only = (names: readonly string[]) =>
    Object.keys($source).length > 0 && Object.keys($source).every((name) => names.includes(name));
  const passed = (...names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));

  if (only(["CREDENTIALS_HTTP"])) {
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = environment;
    if (environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) return undefined; // restic 0.14 does not know it
    if (relative) return passed("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (!full || !isLoopback(full)) return undefined; // restic asks no other machine
    return passed("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  }
  if (only(["CREDENTIALS_IMDS"])) {
    const { AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: mode } = environment;
    return AWS_EC2_METADATA_SERVICE_ENDPOINT || mode?.toLowerCase() === "ipv6" ? undefined : {};
  }
  if (only(["CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN", "CREDENTIALS_STS_ASSUME_ROLE_WEB_ID"])) {
    if (environment.AWS_ENDPOINT_URL || environment.AWS_ENDPOINT_URL_STS) return undefined;
    const variables = passed("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME");
    return { ...variables, AWS_REGION: region };
  }
  return undefined;
};

/**
 * The environment that lets restic sign as our client does. Where restic can ask the same source itself (a container's role, a
 * machine's role, a web identity), it does, and renews what it got however long it runs. All other keys are handed to it.
 */
export const credentialVariables = (
  found: FoundKeys,
  environment: Environment,
  region: string,
): Readonly<Record<string, string>> => {
  const renewable = renewableBy(found, environment, region);
  if (renewable) return { ...noFiles, ...renewable };
  return {
    AWS_ACCESS_KEY_ID: found.accessKeyId,
    AWS_SECRET_ACCESS_KEY: found.secretAccessKey,
    ...(found.sessionToken ? { AWS_SESSION_TOKEN: found.sessionToken } : {}),
  };
};

/**
 * Finds out how our client reaches a bucket, each time anew: keys may have changed since.
 *
 * @throws {DestinationAccessDeniedError} fatal: there are no keys
 * @throws {InvalidInputError} fatal: no region is named, or the server's address has a path
 */
export const s3Access = (settings: S3Settings, environment: Environment): (() => Promise<S3Access>) => {
  const client = s3Client(settings, environment);
  const { bucket } = settings;
  const find = async (): Promise<S3Access> => {
    const region = await client.config.region();
    const { url } = await getEndpointFromInstructions({ Bucket: bucket }, HeadBucketCommand, { ...client.config });
    const pathStyle = url.pathname === `/${bucket}`;
    if (!pathStyle && !(url.pathname === "/" && url.hostname.startsWith(`${bucket}.`)))
      throw new InvalidInputError([
        { path: "AWS_ENDPOINT_URL", message: "has a path; expected only scheme, name and port" },
      ]);
    const { config } = client;
    const first = await config.credentials();
    const left = (first.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
    const keys = left < shortestMilliseconds ? await config.credentials({ forceRefresh: true }) : first;
    const server = `${url.protocol}//${pathStyle ? url.host : url.host.slice(bucket.length + 1)}`;
    return { server, region, pathStyle, credentials: credentialVariables(keys, environment, region) };
  };
  return () =>
    find().catch((error: unknown) => {
      throw s3Failure(error, `finding the way to s3://${bucket}`);
    });
};
