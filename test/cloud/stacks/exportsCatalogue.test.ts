import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { expectNoNag, type SampleStacks, sampleStacks } from "../../support/sampleStacks.ts";
import { resourcesOf, rightsOf } from "../../support/templates.ts";

const stack = "InstallationStack-clinic-a";

describe("an installation whose exports register their tables", () => {
  let made: SampleStacks;
  let stacks: SampleStacks["stacks"];
  beforeAll(async () => {
    made = await sampleStacks(({ exports }) => ({ exports: { ...exports, database: { catalogue: "analytics_a" } } }));
    stacks = made.stacks;
  });
  afterAll(() => made[Symbol.dispose]());

  const glue = (all: SampleStacks["stacks"], role: string) =>
    rightsOf(all, stack, role).filter(({ actions }) => actions.some((action) => action.startsWith("glue:")));

  it("has the database of that name", () => {
    expect(resourcesOf(stacks, "AWS::Glue::Database").map(({ resource: { Properties } }) => Properties)).toMatchObject([
      { DatabaseInput: { Name: "analytics_a" } },
    ]);
  });

  it("lets the task of the database make and change tables of this database, and no other role anything", () => {
    const [right, ...more] = glue(stacks, "ExportDatabaseTaskRole");
    expect(more).toEqual([]);
    expect([...(right?.actions ?? [])].sort()).toEqual(["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"]);
    expect(right?.resources.join(" ")).toMatch(/:catalog .*:database\/analytics_a .*:table\/analytics_a\/\*$/);
    for (const role of ["ExportSitesTaskRole", "NotebookRole"]) expect(glue(stacks, role)).toEqual([]);
    expect(glue(inject("synth").prod, "ExportDatabaseTaskRole")).toEqual([]);
  });

  it("has nothing that cdk-nag finds and nobody accepted", () => expectNoNag(made));
});
