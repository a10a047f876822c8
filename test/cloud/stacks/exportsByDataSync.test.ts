import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoLint, expectNoNag, type SampleStacks, sampleStacks } from "../../support/sampleStacks.ts";
import { rightsOf } from "../../support/templates.ts";

const task = "arn:aws:datasync:eu-central-1:123456789012:task/task-0123456789abcdef0";
const stack = "InstallationStack-clinic-a";

describe("an installation whose large files DataSync copies", () => {
  let made: SampleStacks;
  let stacks: SampleStacks["stacks"];
  beforeAll(async () => {
    made = await sampleStacks(({ exports }) => ({
      exports: { ...exports, createBucket: false, sites: { engine: "datasync", dataSyncTask: task } },
    }));
    stacks = made.stacks;
  });
  afterAll(() => made[Symbol.dispose]());

  it("has nothing that cdk-nag finds and nobody accepted", () => expectNoNag(made));

  it("has nothing against cfn-lint", () => expectNoLint(made));

  it("lets the task of the files start that task of DataSync alone, with a role that reads lists of files alone", () => {
    const asking = rightsOf(stacks, stack, "ExportSitesTaskRole").filter(({ actions }) =>
      actions.some((action) => action.startsWith("datasync:")),
    );
    expect(asking.map(({ actions, resources }) => [actions, resources])).toEqual([
      [["datasync:DescribeTask", "datasync:StartTaskExecution"], [task]],
      [["datasync:DescribeTaskExecution", "datasync:CancelTaskExecution"], [`${task}/execution/*`]],
      [
        ["datasync:DescribeLocationEfs", "datasync:DescribeLocationS3"],
        ["arn:aws:datasync:eu-central-1:123456789012:location/*"],
      ],
    ]);
    const passing = rightsOf(stacks, stack, "ExportSitesTaskRole").filter(({ actions }) =>
      actions.includes("iam:PassRole"),
    );
    expect(JSON.stringify(passing)).toMatch(/DataSyncListRole.*datasync\.amazonaws\.com/s);
    expect(passing).toHaveLength(1);
    const reading = rightsOf(stacks, stack, "DataSyncListRole").filter(({ actions }) =>
      actions.some((action) => action.startsWith("s3:")),
    );
    expect(reading.map(({ actions, resources }) => [actions, resources])).toEqual([
      [
        ["s3:GetObject", "s3:GetObjectVersion"],
        ["arn:aws:s3:::sagemaker-clinic-a/analytics/sites/_inventory/*-files.csv"],
      ],
    ]);
    expect(rightsOf(stacks, stack, "ExportDatabaseTaskRole").flatMap(({ actions }) => actions)).not.toContain(
      "iam:PassRole",
    );
  });
});
