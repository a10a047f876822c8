import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoLint, expectNoNag, type SampleStacks, sampleStacks } from "../../support/sampleStacks.ts";
import { rightsOf } from "../../support/templates.ts";

const stack = "InstallationStack-clinic-a";

describe("an installation whose cluster RDS exports", () => {
  let made: SampleStacks;
  let stacks: SampleStacks["stacks"];
  beforeAll(async () => {
    made = await sampleStacks(({ exports }) => ({
      exports: { ...exports, createBucket: false, database: { engine: "aurora" } },
    }));
    stacks = made.stacks;
  });
  afterAll(() => made[Symbol.dispose]());

  it("has nothing that cdk-nag finds and nobody accepted", () => expectNoNag(made));

  it("has nothing against cfn-lint", () => expectNoLint(made));

  it("lets RDS write below the database exports alone, and lets nobody else pass that role", () => {
    const written = rightsOf(stacks, stack, "RdsExportRole").filter(({ actions }) => actions.includes("s3:PutObject*"));
    expect(written.flatMap(({ resources }) => resources)).toEqual([
      "arn:aws:s3:::sagemaker-clinic-a/analytics/database/*",
    ]);
    const passing = rightsOf(stacks, stack, "FollowRdsRole").filter(({ actions }) => actions.includes("iam:PassRole"));
    expect(passing).toHaveLength(1);
    expect(JSON.stringify(passing[0])).toMatch(/RdsExportRole.*export\.rds\.amazonaws\.com/);
  });
});
