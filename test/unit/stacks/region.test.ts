import { InvalidInputError } from "@openemr-ops/core/errors";
import { deploymentRegion } from "@openemr-ops/stacks/region";
import { describe, expect, it } from "vitest";

describe("the region of a deployment", () => {
  it.each([
    {
      asked: "eu-west-3",
      environment: { AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "us-west-2" },
      is: "eu-west-3",
    },
    {
      asked: undefined,
      environment: { AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "us-west-2" },
      is: "eu-central-1",
    },
    { asked: undefined, environment: { AWS_DEFAULT_REGION: "us-gov-west-1" }, is: "us-gov-west-1" },
    { asked: "", environment: { AWS_REGION: "", AWS_DEFAULT_REGION: "cn-north-1" }, is: "cn-north-1" },
  ])("is $is for --region $asked and $environment", ({ asked, environment, is }) => {
    expect(deploymentRegion(asked, environment)).toBe(is);
  });

  it("is refused when nothing sets it, and no default replaces it", () => {
    expect(() => deploymentRegion(undefined, {})).toThrow(InvalidInputError);
    expect(() => deploymentRegion(undefined, {})).toThrow(/^--region: is missing; .*AWS_REGION or AWS_DEFAULT_REGION$/);
  });

  it.each([
    { asked: "Frankfurt", environment: {}, field: "--region" },
    { asked: undefined, environment: { AWS_REGION: "eu-central-1a" }, field: "AWS_REGION" },
    { asked: undefined, environment: { AWS_DEFAULT_REGION: "us-east" }, field: "AWS_DEFAULT_REGION" },
  ])("is refused in the wrong form, by $field", ({ asked, environment, field }) => {
    expect(() => deploymentRegion(asked, environment)).toThrow(new RegExp(`^${field}: expected a region of AWS`));
  });
});
