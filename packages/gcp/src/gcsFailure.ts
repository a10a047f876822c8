import {
  DestinationAccessDeniedError,
  DestinationFullError,
  DestinationMissingError,
  DestinationThrottledError,
  DestinationUnavailableError,
  OpsError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";

const rateReasons = new Set(["rateLimitExceeded", "userRateLimitExceeded"]);
const quotaReasons = new Set(["quotaExceeded", "storageQuotaExceeded"]);

/** HTTP status of a response from Google; the library stores it in different fields. */
export const gcsStatusOf = (error: unknown): number | undefined => {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
  for (const value of [code, status]) {
    if (/^[1-5]\d\d$/.test(String(value))) return Number(value);
  }
  return undefined;
};

/** Google's reason for the failure. Its library stores it in a list, in the response's data or in the message. */
const reasonsOf = (error: unknown): readonly string[] => {
  if (!(error instanceof Error)) return [];
  const { errors, response, message } = error as Error & {
    readonly errors?: unknown;
    readonly response?: { readonly data?: unknown };
  };
  const text = [JSON.stringify(errors), JSON.stringify(response?.data), message].join(" ");
  return [...new Set([...text.matchAll(/"reason":\s*"(\w+)"/g)].map(([, reason = ""]) => reason))];
};

const isCredentialFault = (error: unknown): boolean =>
  error instanceof Error && /default credentials|invalid_grant|invalid_rapt|refresh access token/i.test(error.message);

/**
 * Converts a failure of Google Cloud Storage into one of our errors; the original is the `cause`.
 *
 * @param doing for the message, such as `reading a/b from gs://bucket`
 */
export const gcsFailure = (error: unknown, doing: string): OpsError => {
  if (error instanceof OpsError) return error;
  const status = gcsStatusOf(error);
  const reasons = reasonsOf(error);
  const options = { cause: error };
  const said = `${doing} failed (${[error instanceof Error ? error.name : typeof error, status, ...reasons].filter(Boolean).join(", ")})`;

  if (reasons.some((reason) => quotaReasons.has(reason)) || status === 507)
    return new DestinationFullError(`${said}: free space or raise the quota`, options);
  if (status === 429 || reasons.some((reason) => rateReasons.has(reason)))
    return new DestinationThrottledError(`${said}: the store asks to slow down; try again later`, options);
  if (status === 401 || status === 403)
    return new DestinationAccessDeniedError(
      `${said}: allow this identity to get, create, delete and list objects of the bucket`,
      options,
    );
  if (isCredentialFault(error))
    return new DestinationAccessDeniedError(`${said}: give this program Google credentials that are valid`, options);
  if (status === 404) return new DestinationMissingError(`${said}: create the bucket or correct its name`, options);
  if (status === 408 || (status !== undefined && status >= 500))
    return new DestinationUnavailableError(`${said}: the store has an internal fault; try again later`, options);
  const network = networkFailureOf(error);
  if (network || (error instanceof Error && error.name === "FetchError"))
    return new DestinationUnavailableError(
      `${doing} failed (${network ?? "no connection"}): check the network and TLS`,
      options,
    );
  return new UnexpectedError(said, options);
};
