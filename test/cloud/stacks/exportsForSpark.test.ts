import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoLint, expectNoNag, type SampleStacks, sampleStacks } from "../../support/sampleStacks.ts";
import { resourcesOf, rightsOf } from "../../support/templates.ts";

const stack = "InstallationStack-clinic-a";
const bucket = "arn:aws:s3:::sagemaker-clinic-a";

describe("an installation whose exports Spark reads", () => {
  let made: SampleStacks;
  let without: SampleStacks;
  let stacks: SampleStacks["stacks"];
  beforeAll(async () => {
    made = await sampleStacks(({ exports }) => ({ exports: { ...exports, spark: true } }));
    without = await sampleStacks(({ exports }) => ({ exports }));
    stacks = made.stacks;
  });
  afterAll(() => {
    for (const one of [made, without]) one[Symbol.dispose]();
  });

  const rights = (role: string, action: string) =>
    rightsOf(stacks, stack, role).filter(({ actions }) => actions.includes(action));
  const resources = (role: string, action: string) => rights(role, action).flatMap((one) => one.resources);

  it("has nothing that cdk-nag finds and nobody accepted", () => expectNoNag(made));

  it("has nothing against cfn-lint", () => {
    const changed = stacks.filter(({ name }) => name.endsWith(stack)); // the others are those of every installation
    expect(changed).toHaveLength(1);
    expectNoLint({ ...made, stacks: changed });
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
    expect(JSON.stringify(without.stacks.map(({ template }) => template))).not.toMatch(/Spark|emr-serverless/);
  });
});
