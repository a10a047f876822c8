/**
 * How clients of the control plane's services behave: an answer that does not come must not hold up a heartbeat or a
 * Lambda for long. Region, credentials and `AWS_ENDPOINT_URL` come from the environment, as the SDK reads it.
 */
export const clientSettings = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;
