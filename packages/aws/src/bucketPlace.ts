import { GetBucketLocationCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import type { StoreLocation } from "@openemr-ops/core/residency";
import { getEndpointFromInstructions } from "@smithy/core/endpoints";
import { type S3Settings, s3Client } from "./s3Client.ts";
import { s3Failure } from "./s3Failure.ts";

/** Names of before AWS had several regions. */
const regionOf = (constraint: string | undefined): string =>
  constraint === "EU" ? "eu-west-1" : constraint || "us-east-1";

const isDenied = (error: unknown): boolean => error instanceof Error && error.name === "AccessDenied";

/**
 * Where a bucket is: its region, as S3 answers, or the server with the S3 API that was found.
 *
 * @throws the `Destination…Error` family
 */
export const bucketPlace = async (
  settings: S3Settings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<StoreLocation> => {
  const { bucket: Bucket } = settings;
  const client = s3Client(settings, environment);
  try {
    const { url } = await getEndpointFromInstructions({ Bucket }, HeadBucketCommand, { ...client.config });
    const host = url.host.startsWith(`${Bucket}.`) ? url.host.slice(Bucket.length + 1) : url.host;
    if (!isOfAws(host)) return { kind: "endpoint", server: `${url.protocol}//${host}` };
    try {
      const { LocationConstraint } = await client.send(new GetBucketLocationCommand({ Bucket }));
      return { kind: "aws", region: regionOf(LocationConstraint) };
    } catch (error) {
      if (!isDenied(error)) throw error;
      const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket })); // of another account's bucket
      if (!BucketRegion) throw error;
      return { kind: "aws", region: BucketRegion };
    }
  } catch (error) {
    throw s3Failure(error, `asking where s3://${Bucket} is`);
  }
};

/** A server of S3 itself in any of AWS's partitions, not an address that a person chose. */
const isOfAws = (host: string): boolean =>
  /^s3(-fips)?\.(dualstack\.)?([a-z0-9-]+\.)?(amazonaws\.com(\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/.test(
    host,
  );
