import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfigText } from "@openemr-ops/core/config/load";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { inspectWithNag } from "@openemr-ops/stacks/nag";
import { type SynthesizedStack, synthesize } from "@openemr-ops/stacks/synthesize";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sampleConfigPath } from "../../support/sampleDeployment.ts";
import { rightsOf } from "../../support/templates.ts";

const task = "arn:aws:datasync:eu-central-1:123456789012:task/task-0123456789abcdef0";
const stack = "InstallationStack-clinic-a";

describe("an installation whose large files DataSync copies", () => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-datasync-stacks-"));
  let stacks: readonly SynthesizedStack[];
  beforeAll(async () => {
    const { installations, ...rest } = JSON.parse(readFileSync(sampleConfigPath, "utf8"));
    const { id, platform, database, sites, exports } = installations[0];
    const byDataSync = { ...exports, createBucket: false, sites: { engine: "datasync", dataSyncTask: task } };
    const config = { ...rest, installations: [{ id, platform, database, sites, exports: byDataSync }] };
    const made = await synthesize({
      config: await loadConfigText(JSON.stringify(config), { from: "test", directory: "/etc/openemr-ops" }),
      stage: "prod",
      region: "eu-central-1",
      account: "123456789012",
      outdir: directory,
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
      bundles: false,
      inspect: inspectWithNag,
    });
    stacks = made.stacks;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("has nothing that cdk-nag finds and nobody accepted", () => {
    // Placeholders in place of the code run on another Node.js (AwsSolutions-L1).
    const found = stacks.flatMap(({ messages }) =>
      messages.filter(({ text }) => /^(AwsSolutions-(?!L1:)|HIPAA|NIST)/.test(text)),
    );
    expect(found.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
  });

  it("has nothing against cfn-lint", () => {
    const templates = stacks.map(({ name }) => join(directory, `${name}.template.json`));
    const options = ["--format", "json", "--regions", "eu-central-1", "--ignore-checks", "W3005", "W2531"];
    const { stdout } = spawnSync(findTool("cfn-lint") ?? "cfn-lint", [...options, "--template", ...templates], {
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toEqual([]);
  });

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
