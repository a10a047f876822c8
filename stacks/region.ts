import { awsRegion } from "@openemr-ops/core/config/fields";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { RegionInfo } from "aws-cdk-lib/region-info";

/**
 * The region that is deployed to: `--region`, else `AWS_REGION`, else `AWS_DEFAULT_REGION`. There is no default: a deployment
 * into a region that nobody named finds no cluster, no secret and no file system there.
 *
 * @throws {InvalidInputError} fatal: none of the three is set, or the first that is has another form
 */
export const deploymentRegion = (
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string => {
  const { AWS_REGION, AWS_DEFAULT_REGION } = environment;
  const [path, region] = Object.entries({ "--region": asked, AWS_REGION, AWS_DEFAULT_REGION }).find(
    ([, value]) => value,
  ) ?? ["--region"];
  if (region === undefined) {
    const message = "is missing; name the region of OpenEMR's stack with --region, AWS_REGION or AWS_DEFAULT_REGION";
    throw new InvalidInputError([{ path, message }]);
  }
  if (awsRegion.test(region)) return region;
  throw new InvalidInputError([{ path, message: "expected a region of AWS, such as eu-central-1" }]);
};

/** The partition of a region, such as `aws-cn`; undefined for a region that CDK does not know yet. */
export const partitionOf = (region: string): string | undefined => RegionInfo.get(region).partition;

/**
 * Values of the condition `kms:ViaService` for a service in a region. A partition with a domain of its own has both: AWS's
 * documentation has examples with either.
 */
export const viaService = (service: string, region: string): readonly string[] => {
  const domains = new Set(["amazonaws.com", RegionInfo.get(region).domainSuffix ?? "amazonaws.com"]);
  return [...domains].map((domain) => `${service}.${region}.${domain}`);
};
