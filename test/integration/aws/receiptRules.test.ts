import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import {
  CreateReceiptRuleCommand,
  CreateReceiptRuleSetCommand,
  ListReceiptRuleSetsCommand,
  SESClient,
  SetActiveReceiptRuleSetCommand,
} from "@aws-sdk/client-ses";
import { receiptRules } from "@openemr-ops/aws/receiptRules";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

let aws: AwsServer;
let ses: SESClient;
beforeEach(async () => {
  aws = await startAws();
  ses = new SESClient();
});
afterEach(() => aws[Symbol.asyncDispose]());

const sets = () => receiptRules({ region: "us-east-1" });
const names = async () =>
  ((await ses.send(new ListReceiptRuleSetsCommand())).RuleSets ?? []).map(({ Name }) => Name).sort();
const aSet = async (name: string, ...rules: readonly string[]) => {
  await ses.send(new CreateReceiptRuleSetCommand({ RuleSetName: name }));
  for (const rule of rules)
    await ses.send(
      new CreateReceiptRuleCommand({ RuleSetName: name, Rule: { Name: rule, Recipients: ["x.example"] } }),
    );
};
const activate = (name: string) => ses.send(new SetActiveReceiptRuleSetCommand({ RuleSetName: name }));

/** As CloudFormation asks; its answer is what it was told. */
const asked = async (RequestType: string, ruleSet: string, PhysicalResourceId?: string) => {
  const { handler } = await import("../../../functions/mail/receiptRuleSet.ts");
  let told: Readonly<Record<string, unknown>> = {};
  const server = createServer(async (request, response) => {
    told = { ...JSON.parse(await text(request)), method: request.method, type: request.headers["content-type"] };
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  await (handler as unknown as Handler)(
    {
      RequestType,
      ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=1`,
      StackId: "stack-1",
      RequestId: "request-1",
      LogicalResourceId: "ReceiptRuleSet",
      ResourceType: "Custom::ReceiptRuleSet",
      ...(PhysicalResourceId ? { PhysicalResourceId } : {}),
      ResourceProperties: { ServiceToken: "arn", ruleSet },
    },
    { functionName: "ReceiptRuleSet" },
  );
  server.close();
  return told;
};

it("creates and activates a rule set where none is active, and says so to CloudFormation", async () => {
  const told = await asked("Create", "openemr-ops");
  expect(told).toMatchObject({
    Status: "SUCCESS",
    PhysicalResourceId: "openemr-ops",
    StackId: "stack-1",
    RequestId: "request-1",
    LogicalResourceId: "ReceiptRuleSet",
    method: "PUT",
  });
  expect(told.type ?? "").toBe("");
  expect(await sets().active()).toBe("openemr-ops");
  expect(await asked("Update", "openemr-ops", "openemr-ops")).toMatchObject({ Status: "SUCCESS" });
});

it("leaves a foreign set active, and names it", async () => {
  await aSet("theirs", "their-rule");
  await activate("theirs");
  expect(await asked("Create", "openemr-ops")).toMatchObject({
    Status: "FAILED",
    Reason: expect.stringMatching(
      /^ReceiptRuleConflictError: the receipt rule set theirs is active .* nothing was changed/,
    ),
  });
  expect(await sets().active()).toBe("theirs");
  expect(await names()).toEqual(["theirs"]);
});

it("adds to the active set when the configuration names it, and never takes that away", async () => {
  await aSet("theirs", "their-rule");
  await activate("theirs");
  expect(await asked("Create", "theirs")).toMatchObject({ Status: "SUCCESS" });
  expect(await asked("Delete", "theirs", "theirs")).toMatchObject({ Status: "SUCCESS" });
  expect(await sets().active()).toBe("theirs");
  expect(await names()).toEqual(["theirs"]);
});

it("keeps a set that is empty and not ours", async () => {
  await aSet("theirs");
  await activate("theirs");
  await asked("Delete", "theirs", "theirs");
  expect(await sets().active()).toBe("theirs");
});

it("removes its own set once it is empty, and not while another installation has a rule in it", async () => {
  await asked("Create", "openemr-ops");
  await ses.send(
    new CreateReceiptRuleCommand({ RuleSetName: "openemr-ops", Rule: { Name: "clinic-b", Recipients: ["b.example"] } }),
  );
  await asked("Delete", "openemr-ops", "openemr-ops");
  expect(await sets().active()).toBe("openemr-ops");

  await aSet("openemr-ops-old");
  await asked("Delete", "openemr-ops-old", "openemr-ops-old");
  expect(await names()).toEqual(["openemr-ops"]);
});

it("deactivates what it removes, and nothing that was activated since", async () => {
  await asked("Create", "openemr-ops");
  await aSet("theirs", "their-rule");
  await activate("theirs");
  await asked("Delete", "openemr-ops", "openemr-ops");
  expect(await sets().active()).toBe("theirs");
  expect(await names()).toEqual(["theirs"]);
  await asked("Delete", "openemr-ops", "openemr-ops");
});
