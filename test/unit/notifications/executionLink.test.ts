import { executionLink } from "@openemr-ops/notifications/executionLink";
import { describe, expect, it } from "vitest";

const rest = "123456789012:execution:openemr-ops-production-clinic-a-RestoreDrill:01KAK0R8Q0ZJ5V1N6T3W9XYBCD";

describe("the link to an execution", () => {
  it.each([
    ["aws", "eu-central-1", "console.aws.amazon.com"],
    ["aws-cn", "cn-north-1", "console.amazonaws.cn"],
    ["aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"],
  ])("in the partition %s leads to that partition's console", (partition, region, host) => {
    const arn = `arn:${partition}:states:${region}:${rest}`;

    expect(executionLink(arn)).toBe(
      `https://${region}.${host}/states/home?region=${region}#/v2/executions/details/${arn}`,
    );
  });

  it.each([
    "",
    "01KAK0R8Q0ZJ5V1N6T3W9XYBCD",
    "https://evil.example.org",
    `arn:aws:states:eu-central-1:${rest}|click>`,
    `arn:aws-of-nobody:states:eu-central-1:${rest}`,
    "arn:aws:states:eu-central-1:123456789012:stateMachine:machine",
  ])("is not made of %j", (text) => {
    expect(executionLink(text)).toBeUndefined();
  });
});
