import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { workflowKinds } from "@openemr-ops/events/jobKinds";
import { describe, expect, inject, it } from "vitest";
import { resourcesOf, textOf } from "../../support/templates.ts";

const { prod } = inject("synth");
const alarms = resourcesOf(prod, "AWS::CloudWatch::Alarm").map(({ stack, id, resource: { Properties = {} } }) => ({
  name: `${stack} ${id.replace(/[0-9A-F]{8}$/, "")}`,
  properties: Properties,
}));

describe("alarms", () => {
  it("watch every queue, every function, every installation's jobs and the sweep itself", () => {
    expect(alarms.map(({ name }) => name.replace(/^.*(ObservabilityStack|InstallationStack-)/, "")).sort()).toEqual([
      " BeginErrors",
      " ExecutionEndedErrors",
      " FailErrors",
      " FindOverdueErrors",
      " FinishErrors",
      " NotificationsWaiting",
      " NotifySlackErrors",
      " StartErrors",
      " SweepSilent",
      " TaskStoppedErrors",
      " UndeliveredEventsWaiting",
      " UndeliveredNotificationsWaiting",
      " UndeliveredSchedulesWaiting",
      "clinic-a ConfirmCopyErrors",
      "clinic-a ConfirmErrors",
      "clinic-a ForwardMailErrors",
      "clinic-a JobsFailed",
      "clinic-a JobsFailed2",
      "clinic-a JobsFailed3",
      "clinic-a MailBounces",
      "clinic-a ReceiptRuleSetClaimErrors",
      "clinic-a UndeliveredMailAlarm",
      "clinic-a WaitingMailAlarm",
      "clinic-b ConfirmErrors",
      "clinic-b JobsFailed",
    ]);
  });

  it.each(alarms)("$name tells somebody, and names the runbook for it", ({ properties }) => {
    expect(properties.AlarmActions).toHaveLength(1);
    const [, runbook] = /\(runbook: ([a-z-]+)\)$/.exec(String(properties.AlarmDescription)) ?? [];
    expect(existsSync(resolve(import.meta.dirname, `../../../docs/runbooks/${runbook}.md`)), runbook).toBe(true);
  });

  it("may reach their topic, which takes nothing from anybody else", () => {
    const [policy] = resourcesOf(prod, "AWS::SNS::TopicPolicy");
    expect(policy?.resource.Properties?.PolicyDocument).toHaveProperty("Statement", [
      expect.objectContaining({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
      expect.objectContaining({
        Effect: "Allow",
        Action: "sns:Publish",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Condition: expect.objectContaining({ StringEquals: { "aws:SourceAccount": "123456789012" } }),
      }),
    ]);
  });

  it("reach the addresses of the configuration, and whoever subscribes to the topic, which is an output", () => {
    const topics = resourcesOf(prod, "AWS::SNS::Topic").map(({ id }) => id);
    const subscriptions = resourcesOf(prod, "AWS::SNS::Subscription").map(({ resource }) => resource.Properties);
    expect(subscriptions).toEqual([
      { Protocol: "email", Endpoint: "on-call@clinic-a.example.org", TopicArn: { Ref: topics[0] } },
    ]);
    const outputs = prod.flatMap(({ template }) => Object.entries(template.Outputs ?? {}));
    expect(outputs).toContainEqual(["AlarmTopicArn", expect.objectContaining({ Value: { Ref: topics[0] } })]);
  });

  it("reach Slack by an event, when they start to ring and are of this stage", () => {
    const rule = resourcesOf(prod, "AWS::Events::Rule").find(({ id }) => id.startsWith("AlarmRule"));
    const { EventPattern: pattern, EventBusName: bus } = rule?.resource.Properties ?? {};
    expect(bus).toBeUndefined(); // CloudWatch publishes on the account's own
    expect(pattern).toMatchObject({
      source: ["aws.cloudwatch"],
      "detail-type": ["CloudWatch Alarm State Change"],
      detail: { state: { value: ["ALARM"] } },
    });
    const [{ prefix = "" } = {}] = (pattern as { resources: { prefix?: unknown }[] }).resources;
    const names = resourcesOf(prod, "AWS::CloudWatch::Alarm").map(({ stack, id }) => `${stack}-${id}`);
    for (const name of names)
      expect(`arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${name}-1ABC`.startsWith(textOf(prefix)), name).toBe(
        true,
      );
    expect(textOf(prefix)).not.toMatch(/alarm:prod$/);
  });

  it("of silence rings when there is no data at all; others do not", () => {
    for (const { name, properties } of alarms)
      expect(properties.TreatMissingData, name).toBe(name.endsWith("SweepSilent") ? "breaching" : "notBreaching");
  });

  it("of an installation count its workflows' failures and time-outs", () => {
    const failed = alarms.filter(({ name }) => /clinic-a JobsFailed\d*$/.test(name));
    const counted = failed.flatMap(({ properties }) => {
      const text = JSON.stringify(properties.Metrics);
      const metrics = text.match(/"MetricName":"Executions(Failed|TimedOut)"/g) ?? [];
      expect(metrics.length).toBeLessThanOrEqual(10); // what CloudWatch takes
      return metrics;
    });
    expect(counted.filter((metric) => metric.includes("Failed"))).toHaveLength(workflowKinds.length);
    expect(counted.filter((metric) => metric.includes("TimedOut"))).toHaveLength(workflowKinds.length);
  });
});

describe("rules", () => {
  const rules = resourcesOf(prod, "AWS::Events::Rule").map(({ resource: { Properties = {} } }) => ({
    description: String(Properties.Description),
    properties: Properties,
  }));

  it("see executions that ended badly and containers that stopped, of this stage alone", () => {
    const text = JSON.stringify(rules.map(({ properties }) => properties.EventPattern));
    expect(text).toContain(":stateMachine:openemr-ops-prod-");
    expect(text).toContain(":task-definition/openemr-ops-prod-");
    expect(text).toContain('"status":["FAILED","TIMED_OUT","ABORTED"]');
    expect(text).toContain('"lastStatus":["STOPPED"]');
  });

  it("see a secret of OpenEMR that was rotated, by the beginning of its ARN, and start a redeployment of its own installation", () => {
    const rule = rules.find(({ description }) => description.includes("that were rotated"));
    const prefix = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:clinic-a/redis-YyZzAa";
    expect(rule?.properties.EventPattern).toEqual({
      source: ["aws.secretsmanager"],
      detail: {
        eventSource: ["secretsmanager.amazonaws.com"],
        eventName: ["RotationSucceeded"],
        additionalEventData: { SecretId: [{ prefix }] },
      },
    });
    const [target] = (rule?.properties.Targets ?? []) as readonly { readonly InputTransformer: unknown }[];
    const said = JSON.stringify(target?.InputTransformer);
    expect(said).toContain("openemr-ops-prod-clinic-a-RedeployService");
    expect(said).toContain('\\"kind\\":\\"redeploy\\"');
    expect(said).toContain("$.time");
  });

  it.each(rules)("$description: what cannot be delivered waits in a queue", ({ properties }) => {
    const targets = properties.Targets as readonly { readonly DeadLetterConfig?: unknown }[];
    expect(targets).toHaveLength(1);
    expect(targets[0]?.DeadLetterConfig).toBeDefined();
  });
});
