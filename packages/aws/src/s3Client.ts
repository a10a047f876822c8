import { S3Client } from "@aws-sdk/client-s3";
import type { StoreKeys } from "@openemr-ops/core/storeCredentials";
import { ProxiedHandler } from "./proxiedHandler.ts";

export interface S3Settings {
  readonly bucket: string;
  /** A server with the S3 API; default: AWS's usual environment, then AWS. */
  readonly endpoint?: string | undefined;
  /** Default: AWS's usual environment. */
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
  /** The bucket locks what is written there. */
  readonly locked?: boolean | undefined;
  /** The store's own keys, read when the first request is signed; default: AWS's usual chain of providers. */
  readonly readKeys?: (() => Promise<StoreKeys>) | undefined;
}

/**
 * The client for a store. Some servers with the S3 API refuse the checksum headers and trailers that the SDK adds by
 * default, so they are sent only where S3 requires them. Source: github.com/aws/aws-sdk-js-v3/issues/6810. A bucket with
 * Object Lock requires one of each upload, and the SDK does not know which buckets have it.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html.
 *
 * A bucket with a dot in its name is never a part of the server's name: no certificate covers that.
 *
 * @param environment the program's own: proxies, and the region's older name, which this SDK leaves alone
 */
export const s3Client = (
  { bucket, endpoint, region, pathStyle, locked, readKeys }: S3Settings,
  environment: Readonly<Record<string, string | undefined>> = {},
): S3Client => {
  const { AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 } = environment;
  const named = region ?? (AWS_REGION || AWS_DEFAULT_REGION);
  return new S3Client({
    ...(endpoint ? { endpoint } : {}),
    ...(endpoint || AWS_ENDPOINT_URL || AWS_ENDPOINT_URL_S3
      ? {
          requestChecksumCalculation: locked ? "WHEN_SUPPORTED" : "WHEN_REQUIRED",
          responseChecksumValidation: "WHEN_REQUIRED",
        }
      : {}),
    ...(named ? { region: named } : {}),
    ...(readKeys ? { credentials: readKeys } : {}),
    forcePathStyle: bucket.includes(".") || (pathStyle ?? endpoint !== undefined),
    maxAttempts: 4,
    requestHandler: new ProxiedHandler(environment, { connectionTimeout: 10_000, socketTimeout: 120_000 }),
  });
};
