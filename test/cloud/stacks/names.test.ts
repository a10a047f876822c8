import { longestStage } from "@openemr-ops/core/names";
import { jobKinds, longestDeployedId, stateMachineOf, workflowKinds } from "@openemr-ops/events/jobKinds";
import fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { canaryTexts } from "../../support/sampleDeployment.ts";
import { resourcesOf, textOf } from "../../support/templates.ts";

const { prod, developer } = inject("synth");

/** Properties that give a resource a name which its account and region has once. */
const naming: Readonly<Record<string, string>> = {
  "AWS::CloudWatch::Alarm": "AlarmName",
  "AWS::CloudWatch::Dashboard": "DashboardName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::ECS::TaskDefinition": "Family",
  "AWS::Events::EventBus": "Name",
  "AWS::Events::Rule": "Name",
  "AWS::IAM::Role": "RoleName",
  "AWS::KMS::Alias": "AliasName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::SNS::Topic": "TopicName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::Scheduler::Schedule": "Name",
  "AWS::Scheduler::ScheduleGroup": "Name",
  "AWS::StepFunctions::StateMachine": "StateMachineName",
};

const explicitNames = (stacks: typeof prod): readonly string[] =>
  resourcesOf(stacks).flatMap(({ resource: { Type, Properties = {} } }) => {
    const property = naming[Type];
    const name = property === undefined ? undefined : Properties[property];
    if (name === undefined) return [];
    const group = Type === "AWS::Scheduler::Schedule" ? `${stacks === prod ? "prod" : "dev-x"}/` : "";
    return [`${Type} ${group}${textOf(name)}`];
  });

describe("names", () => {
  it("are given only to what people and programs look for by name", () => {
    const types = new Set(explicitNames(prod).map((name) => name.split(" ")[0]));
    expect([...types].sort()).toEqual([
      "AWS::DynamoDB::Table",
      "AWS::ECS::TaskDefinition",
      "AWS::Events::EventBus",
      "AWS::Events::Rule",
      "AWS::KMS::Alias",
      "AWS::Scheduler::Schedule",
      "AWS::Scheduler::ScheduleGroup",
      "AWS::StepFunctions::StateMachine",
    ]);
  });

  it("are not shared by two installations or two stages in one account and region", () => {
    const names = [...explicitNames(prod), ...explicitNames(developer)];
    expect(new Set(names).size).toBe(names.length);
    const exported = [...prod, ...developer].flatMap(({ template }) =>
      Object.values(template.Outputs ?? {}).flatMap((output) => {
        const name = (output as { readonly Export?: { readonly Name?: string } }).Export?.Name;
        return name === undefined ? [] : [name];
      }),
    );
    expect(new Set(exported).size).toBe(exported.length);
    expect(new Set([...prod, ...developer].map(({ name }) => name)).size).toBe(prod.length + developer.length);
  });

  it.each(workflowKinds)("of the workflow %s fits for the longest stage and installation", (kind) => {
    const stage = "s".repeat(longestStage);
    const name = stateMachineOf(stage, "c".repeat(longestDeployedId(stage, [jobKinds[kind].section])), kind);
    expect(name.length).toBeLessThanOrEqual(80);
  });

  it("of workflows tell any stages and installations apart, and fit", () => {
    const stage = fc.oneof(
      fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/).filter((name) => name !== "dev"),
      fc.stringMatching(/^dev-[a-z0-9]{1,12}$/),
    );
    const id = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
    const machine = fc
      .tuple(stage, id, fc.constantFrom(...workflowKinds))
      .filter(([of, installation, kind]) => installation.length <= longestDeployedId(of, [jobKinds[kind].section]));
    fc.assert(
      fc.property(machine, machine, (one, other) => {
        const [left, right] = [one, other].map(([of, installation, kind]) => stateMachineOf(of, installation, kind));
        expect(left?.length).toBeLessThanOrEqual(80);
        expect(left === right).toBe(one.join("/") === other.join("/"));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("templates", () => {
  it.each([...prod, ...developer])("$name holds no secret that was about when it was made", ({ template }) => {
    const text = JSON.stringify(template);
    for (const canary of canaryTexts) expect(text).not.toContain(canary);
    expect(text).not.toContain("old-server");
  });

  it.each([...prod, ...developer])("$name is smaller than 700 KB", ({ template }) => {
    expect(Buffer.byteLength(JSON.stringify(template, undefined, 1))).toBeLessThan(700_000);
  });

  it.each([...prod, ...developer])(
    "$name has no function of SST's own, and no custom resource but the claim of a rule set, which is a function of ours",
    ({ template }) => {
      const types = Object.values(template.Resources).map(({ Type }) => Type);
      const custom = types.filter((type) => /^(Custom::|AWS::CloudFormation::CustomResource$)/.test(type));
      expect(custom.filter((type) => type !== "Custom::ReceiptRuleSet")).toEqual([]);
      expect(Object.keys(template.Resources).filter((id) => id.startsWith("CustomResourceHandler"))).toEqual([]);
    },
  );
});
