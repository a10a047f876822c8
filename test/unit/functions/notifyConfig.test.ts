import { readNotifyConfig } from "@openemr-ops/functions/notify/config";
import { describe, expect, it } from "vitest";

const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:openemr-ops/slack-AbCdEf";
const environment = { OPENEMR_OPS_STAGE: "test" };

describe("the environment of the function that notifies people in Slack", () => {
  it("may name nobody to tell", () => {
    expect(readNotifyConfig(environment)).toEqual({ stage: "test" });
  });

  it.each([
    { kind: "webhook", secret: { arn } },
    { kind: "webhook", secret: { arn, key: "url" } },
    { kind: "bot", secret: { arn, key: "token" }, channel: "C0123456789" },
  ])("may name a $kind", (slack) => {
    expect(readNotifyConfig({ ...environment, OPENEMR_OPS_SLACK: JSON.stringify(slack) })).toEqual({
      stage: "test",
      slack,
    });
  });

  it("may name another address of Slack's API", () => {
    expect(readNotifyConfig({ ...environment, OPENEMR_OPS_SLACK_API: "http://127.0.0.1:1/api/" })).toEqual({
      stage: "test",
      api: "http://127.0.0.1:1/api/",
    });
  });

  it.each([
    [{}, /OPENEMR_OPS_STAGE/],
    [{ ...environment, OPENEMR_OPS_SLACK: "https://hooks.slack.com/canary" }, /OPENEMR_OPS_SLACK: is not JSON/],
    [{ ...environment, OPENEMR_OPS_SLACK: "{}" }, /OPENEMR_OPS_SLACK/],
    [
      { ...environment, OPENEMR_OPS_SLACK: JSON.stringify({ kind: "bot", secret: { arn } }) },
      /OPENEMR_OPS_SLACK\.channel/,
    ],
    [
      { ...environment, OPENEMR_OPS_SLACK: JSON.stringify({ kind: "webhook", secret: { arn: "canary" } }) },
      /OPENEMR_OPS_SLACK\.secret\.arn/,
    ],
  ])("stops the function when it is wrong: %j", (wrong, says) => {
    const read = () => readNotifyConfig(wrong);

    expect(read).toThrow(says);
    expect(read).not.toThrow(/canary/);
  });
});
