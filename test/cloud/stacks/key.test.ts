import { describe, expect, inject, it } from "vitest";
import { resourcesOf, textOf } from "../../support/templates.ts";

const { prod } = inject("synth");

interface KeyStatement {
  readonly Principal: { readonly Service?: unknown };
  readonly Condition?: Readonly<Record<string, unknown>>;
}

const statementsFor = (service: string): readonly KeyStatement[] => {
  const policies = resourcesOf(prod, "AWS::KMS::Key").map(({ resource: { Properties = {} } }) => Properties.KeyPolicy);
  const statements = policies.flatMap((policy) => (policy as { Statement: readonly KeyStatement[] }).Statement);
  return statements.filter(({ Principal }) => JSON.stringify(Principal).includes(service));
};

describe("the key of a stage", () => {
  it("is open to EventBridge without conditions, which AWS documents as unsupported for encrypted queues", () => {
    const [events, ...others] = statementsFor("events.amazonaws.com");
    expect(events).not.toHaveProperty("Condition");
    expect(events).toMatchObject({ Action: ["kms:Decrypt", "kms:GenerateDataKey*"] });
    expect(others).toEqual([]);
  });

  it("is open to alarms of this account alone", () => {
    expect(statementsFor("cloudwatch.amazonaws.com")).toMatchObject([
      { Condition: { StringEquals: { "aws:SourceAccount": "123456789012" } } },
    ]);
  });

  it("encrypts queues that take messages of the stage's own rules alone", () => {
    const allowed = resourcesOf(prod, "AWS::SQS::QueuePolicy").flatMap(({ resource: { Properties = {} } }) =>
      (Properties.PolicyDocument as { Statement: readonly (KeyStatement & { Effect: string })[] }).Statement.filter(
        ({ Effect }) => Effect === "Allow",
      ),
    );
    expect(allowed.length).toBeGreaterThan(2);
    for (const { Condition } of allowed) expect(JSON.stringify(Condition)).toContain('"aws:SourceArn"');
  });

  it("has a name that people recognise", () => {
    expect(resourcesOf(prod, "AWS::KMS::Alias").map(({ resource }) => textOf(resource.Properties?.AliasName))).toEqual([
      "alias/openemr-ops-prod",
    ]);
  });
});

describe("a task", () => {
  it("has the tags of its stage and installation, for the bill and for who looks at a cluster", () => {
    const definitions = resourcesOf(prod, "AWS::ECS::TaskDefinition");
    for (const { resource } of definitions)
      expect(resource.Properties?.Tags).toEqual(
        expect.arrayContaining([
          { Key: "openemr-ops:installation", Value: expect.stringMatching(/^clinic-[ab]$/) },
          { Key: "openemr-ops:stage", Value: "prod" },
        ]),
      );
    const workflows = resourcesOf(prod, "AWS::StepFunctions::StateMachine").map(({ resource }) =>
      textOf(resource.Properties?.DefinitionString),
    );
    const count = (text: string) => workflows.join("").split(text).length - 1;
    expect(count("ecs:runTask.waitForTaskToken")).toBeGreaterThan(0);
    expect(count('"PropagateTags":"TASK_DEFINITION"')).toBe(count("ecs:runTask.waitForTaskToken"));
  });
});
