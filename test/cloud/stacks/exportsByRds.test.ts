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

const stack = "InstallationStack-clinic-a";

describe("an installation whose cluster RDS exports", () => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-rds-stacks-"));
  let stacks: readonly SynthesizedStack[];
  beforeAll(async () => {
    const { installations, ...rest } = JSON.parse(readFileSync(sampleConfigPath, "utf8"));
    const { exports, dumps: _, health: __, users: ___, schedules: ____, rotations: _____, ...first } = installations[0];
    const byRds = { ...exports, createBucket: false, database: { engine: "aurora" } };
    const config = { ...rest, installations: [{ ...first, exports: byRds }] };
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
