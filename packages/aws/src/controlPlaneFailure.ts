import {
  ControlPlaneAccessDeniedError,
  ControlPlaneMissingError,
  ControlPlaneUnavailableError,
  InvalidInputError,
  OpsError,
  UnexpectedError,
} from "@openemr-ops/core/errors";
import { networkFailureOf } from "@openemr-ops/core/networkFailure";

const badCredentials =
  /CredentialsProvider|TokenProvider|ExpiredToken|UnrecognizedClient|InvalidClientToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken/;
const refused = /AccessDenied|NotAuthorized|Unauthorized|Forbidden/;
const absent = /^(ResourceNotFound|StateMachineDoesNotExist|TableNotFound|EventBusNotFound)/;
const busy =
  /Throttl|TooManyRequests|RequestLimitExceeded|ThroughputExceeded|SlowDown|LimitExceeded|ServiceUnavailable|InternalServer|InternalFailure|InternalError|InternalException|RequestTimeout|TransactionInProgress/;

/** The HTTP status of an AWS response; undefined when there was no response. */
const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
};

/**
 * Converts a failure of one of the control plane's services into one of our errors; the original is the `cause`. The message
 * has the service's error name and status, never its text, which may quote a request.
 *
 * @param doing for the message, such as `reading the job 01K… in openemr-ops-production-jobs`
 * @param right the permission that the caller needs, such as `dynamodb:GetItem`
 */
export const controlPlaneFailure = (error: unknown, doing: string, right: string): OpsError => {
  if (error instanceof OpsError) return error;
  const name = error instanceof Error ? error.name : typeof error;
  const status = statusOf(error);
  const options = { cause: error };
  const said = `${doing} failed (${[name, status].filter(Boolean).join(", ")})`;

  if (error instanceof Error && /^Region (is missing|not accepted)/.test(error.message))
    return new InvalidInputError(
      [{ path: "AWS_REGION", message: "is not set; name the region, such as eu-central-1" }],
      {
        cause: error,
      },
    );
  if (badCredentials.test(name))
    return new ControlPlaneAccessDeniedError(`${said}: give this program valid AWS credentials`, options);
  if (refused.test(name)) return new ControlPlaneAccessDeniedError(`${said}: allow this role ${right}`, options);
  if (absent.test(name))
    return new ControlPlaneMissingError(
      `${said}: it does not exist; deploy this stage, or correct stage, account and region`,
      options,
    );
  if (busy.test(name) || status === 429 || (status !== undefined && status >= 500))
    return new ControlPlaneUnavailableError(`${said}: try again later`, options);
  if (status === 401 || status === 403)
    return new ControlPlaneAccessDeniedError(`${said}: allow this role ${right}`, options);
  const network = networkFailureOf(error);
  if (network)
    return new ControlPlaneUnavailableError(
      `${doing} failed (${network}): check the network, and AWS_ENDPOINT_URL if it is set`,
      options,
    );
  return new UnexpectedError(said, options);
};
