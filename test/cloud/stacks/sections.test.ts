import { expect, it } from "vitest";
import { sampleStacks } from "../../support/sampleStacks.ts";

it("makes what a section needs only where the installation has it", { timeout: 300_000 }, async () => {
  using made = await sampleStacks(() => ({}));
  const { stacks } = made;
  const own = stacks.find(({ name }) => name.includes("InstallationStack"));
  const types = Object.values(own?.template.Resources ?? {}).map(({ Type }) => Type);
  expect(types).toContain("AWS::Logs::LogGroup");
  for (const type of ["ECS::TaskDefinition", "StepFunctions::StateMachine", "Lambda::Function", "Scheduler::Schedule"])
    expect(types).not.toContain(`AWS::${type}`);
  const dashboards = stacks.flatMap(({ template }) => JSON.stringify(template.Resources));
  expect(dashboards.join("")).not.toContain("SUM([])");
});
