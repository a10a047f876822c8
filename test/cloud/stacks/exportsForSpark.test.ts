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
import { resourcesOf, rightsOf } from "../../support/templates.ts";

const stack = "InstallationStack-clinic-a";
const bucket = "arn:aws:s3:::sagemaker-clinic-a";

describe("an installation whose exports Spark reads", () => {
  const directory = mkdtempSync(join(tmpdir(), "openemr-ops-spark-stacks-"));
  let stacks: readonly SynthesizedStack[];
  let without: readonly SynthesizedStack[];
  const made = async (spark: boolean, outdir: string) => {
    const { installations, ...rest } = JSON.parse(readFileSync(sampleConfigPath, "utf8"));
    const { exports, dumps: _, health: __, users: ___, schedules: ____, rotations: _____, ...first } = installations[0];
    const config = { ...rest, installations: [{ ...first, exports: { ...exports, ...(spark ? { spark } : {}) } }] };
    const { stacks: found } = await synthesize({
      config: await loadConfigText(JSON.stringify(config), { from: "test", directory: "/etc/openemr-ops" }),
      stage: "prod",
      region: "eu-central-1",
      account: "123456789012",
      outdir,
      imageUri: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/openemr-ops@sha256:0",
      bundles: false,
      inspect: inspectWithNag,
    });
    return found;
  };
  beforeAll(async () => {
    stacks = await made(true, join(directory, "with"));
    without = await made(false, join(directory, "without"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const rights = (role: string, action: string) =>
    rightsOf(stacks, stack, role).filter(({ actions }) => actions.includes(action));
  const resources = (role: string, action: string) => rights(role, action).flatMap((one) => one.resources);

  it("has nothing that cdk-nag finds and nobody accepted", () => {
    // Placeholders in place of the code run on another Node.js (AwsSolutions-L1).
    const found = stacks.flatMap(({ messages }) =>
      messages.filter(({ text }) => /^(AwsSolutions-(?!L1:)|HIPAA|NIST)/.test(text)),
    );
    expect(found.map(({ path, text }) => `${path}: ${text}`)).toEqual([]);
  });

  it("has nothing against cfn-lint", () => {
    const changed = stacks.filter(({ name }) => name.endsWith(stack)); // the others are those of every installation
    expect(changed).toHaveLength(1);
    const templates = changed.map(({ name }) => join(directory, "with", `${name}.template.json`));
    const options = ["--format", "json", "--regions", "eu-central-1", "--ignore-checks", "W3005", "W2531"];
    const { stdout } = spawnSync(findTool("cfn-lint") ?? "cfn-lint", [...options, "--template", ...templates], {
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it("has an application that stops by itself, keeps nothing ready and has an end", () => {
    const [application, ...others] = resourcesOf(stacks, "AWS::EMRServerless::Application");
    expect(others).toEqual([]);
    expect(application?.resource.Properties).toMatchObject({
      Type: "Spark",
      Architecture: "ARM64",
      AutoStartConfiguration: { Enabled: true },
      AutoStopConfiguration: { Enabled: true, IdleTimeoutMinutes: 15 },
      MaximumCapacity: { Cpu: "16 vCPU", Memory: "128 GB", Disk: "400 GB" },
      MonitoringConfiguration: {
        ManagedPersistenceMonitoringConfiguration: { Enabled: false },
        S3MonitoringConfiguration: { LogUri: "s3://sagemaker-clinic-a/analytics/spark/logs/" },
      },
    });
    expect(application?.resource.Properties).not.toHaveProperty("InitialCapacity");
  });

  it("lets jobs read the exports of this installation, and write and delete below spark/ alone", () => {
    expect(resources("SparkJobRole", "s3:GetObject")).toEqual([`${bucket}/analytics/*`]);
    expect(resources("SparkJobRole", "s3:PutObject")).toEqual([`${bucket}/analytics/spark/*`]);
    expect(resources("SparkJobRole", "s3:DeleteObject")).toEqual([`${bucket}/analytics/spark/*`]);
    expect(rights("SparkJobRole", "kms:GenerateDataKey")).toHaveLength(1);
    expect(JSON.stringify(rights("SparkJobRole", "kms:GenerateDataKey"))).toMatch(
      /sagemaker-clinic-a\/analytics\/spark\/\*"/,
    );
    expect(resources("SparkJobRole", "glue:GetTable").join(" ")).toMatch(
      /:catalog .*:database\/openemr_ops_prod_clinic_a .*:table\/openemr_ops_prod_clinic_a\/\*$/,
    );
    const actions = new Set(rightsOf(stacks, stack, "SparkJobRole").flatMap((one) => one.actions));
    expect([...actions].filter((action) => /^(iam|secretsmanager|lambda|glue:(?!Get))/.test(action))).toEqual([]);
  });

  it("lets a notebook run jobs of this application, and pass the role of its jobs and no other", () => {
    const [application] = resourcesOf(stacks, "AWS::EMRServerless::Application");
    const [passed, ...more] = rights("NotebookRole", "iam:PassRole");
    expect(more).toEqual([]);
    expect(passed?.resources).toEqual([expect.stringMatching(/^<SparkJobRole[0-9A-F]+\.Arn>$/)]);
    expect(passed?.condition).toEqual({ StringEquals: { "iam:PassedToService": "emr-serverless.amazonaws.com" } });
    expect(resources("NotebookRole", "emr-serverless:StartJobRun")).toEqual([`<${application?.id}.Arn>`]);
    expect(resources("NotebookRole", "emr-serverless:GetJobRun")).toEqual([`<${application?.id}.Arn>/jobruns/*`]);
  });

  it("has the application and the role of jobs among its outputs", () => {
    const outputs = stacks.find(({ name }) => name.includes("clinic-a"))?.template.Outputs ?? {};
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(["SparkApplicationId", "SparkJobRoleArn"]));
  });

  it("has none of it where nobody asked for it", () => {
    expect(JSON.stringify(without.map(({ template }) => template))).not.toMatch(/Spark|emr-serverless/);
  });
});
