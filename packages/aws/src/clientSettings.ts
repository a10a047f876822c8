/**
 * Settings of clients for the control plane's services: a missing response must not delay a heartbeat or a Lambda for long.
 * The SDK reads region, credentials and `AWS_ENDPOINT_URL` from the environment.
 */
export const clientSettings = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
} as const;
