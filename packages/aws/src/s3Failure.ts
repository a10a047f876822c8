import { S3ServiceException } from "@aws-sdk/client-s3";
import {
  DestinationAccessDeniedError,
  DestinationFullError,
  DestinationMissingError,
  DestinationThrottledError,
  DestinationUnavailableError,
  InvalidInputError,
  OpsError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";

const throttled = new Set([
  ...["SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded"],
  "KMS.ThrottlingException",
]);
const full = new Set([
  "QuotaExceeded",
  "XMinioStorageFull",
  "InsufficientStorage",
  "InsufficientCapacity",
  "ErrorQuotaExceeded",
]);
const missing = new Set(["NoSuchBucket", "InvalidBucketName"]);
const elsewhere = new Set(["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"]);
const noCredentials = new Set([
  "CredentialsProviderError",
  "TokenProviderError",
  "ExpiredToken",
  "InvalidAccessKeyId",
  "XAdminUserNotFound",
]);

/**
 * Converts a failure of S3, or of a server with the S3 API, into one of our errors; the original is the `cause`. Error names
 * are compared before status codes, because servers agree on them more. The message has the store's error name and status,
 * never its text, which may quote a signed request.
 *
 * @param doing for the message, such as `reading a/b from s3://bucket`
 */
export const s3Failure = (error: unknown, doing: string): OpsError => {
  if (error instanceof OpsError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  const options = { cause: error };
  const said = `${doing} failed (${[name, status].filter(Boolean).join(", ")})`;

  if (error instanceof Error && error.message === "Region is missing")
    return new InvalidInputError(
      [{ path: "AWS_REGION", message: "is not set; set it, or the field region beside the destination" }],
      options,
    );
  if (full.has(name) || status === 507)
    return new DestinationFullError(`${said}: free space or raise the quota`, options);
  if (throttled.has(name) || status === 429 || status === 503)
    return new DestinationThrottledError(`${said}: the store asks to slow down; try again later`, options);
  if (missing.has(name)) return new DestinationMissingError(`${said}: create the bucket or correct its name`, options);
  if (elsewhere.has(name) || status === 301)
    return new DestinationMissingError(
      `${said}: the bucket is in another region; set the field region beside the destination`,
      options,
    );
  if (name.startsWith("KMS."))
    return new DestinationAccessDeniedError(
      `${said}: the KMS key that the bucket encrypts with cannot be used: enable it, or name another one in the bucket's encryption`,
      options,
    );
  if (name === "RequestTimeTooSkewed")
    return new DestinationAccessDeniedError(`${said}: correct this machine's clock`, options);
  if (noCredentials.has(name))
    return new DestinationAccessDeniedError(`${said}: give this program valid credentials for the store`, options);
  if (status === 401 || status === 403)
    return new DestinationAccessDeniedError(
      `${said}: allow these credentials to get, put, delete and list below the prefix, and to use the bucket's KMS key where it has one`,
      options,
    );
  if (status === 501)
    return new UnexpectedError(
      `${said}: the server lacks this operation; see "openemr-ops check destination"`,
      options,
    );
  if (status !== undefined && status >= 500)
    return new DestinationUnavailableError(`${said}: the store has an internal fault; try again later`, options);
  const network = networkFailureOf(error);
  if (network)
    return new DestinationUnavailableError(
      `${doing} failed (${network}): check the endpoint's address, the network and TLS`,
      options,
    );
  if (error instanceof Error && error.message.startsWith("Exceeded "))
    return new DestinationFullError(
      `${doing} failed: the object is larger than 10,000 parts; dumps of this size need the restic format`,
      options,
    );
  return new UnexpectedError(said, options);
};
