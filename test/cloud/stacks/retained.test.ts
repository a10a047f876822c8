import { describe, expect, inject, it } from "vitest";
import { resourcesOf, textOf } from "../../support/templates.ts";

const { prod, developer } = inject("synth");
const stateful = ["AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::S3::Bucket"];

describe("what outlives its stack", () => {
  it("is every table, key, log and bucket of a stage that is kept", () => {
    const found = resourcesOf(prod, ...stateful);
    expect(found.length).toBeGreaterThan(10);
    for (const { stack, id, resource } of found)
      expect([resource.DeletionPolicy, resource.UpdateReplacePolicy], `${stack} ${id}`).toEqual(["Retain", "Retain"]);
  });

  it("is the earlier revision of a task definition, which a job that runs during a deployment still starts", () => {
    const replaced = (stacks: typeof prod) =>
      new Set(resourcesOf(stacks, "AWS::ECS::TaskDefinition").map(({ resource }) => resource.UpdateReplacePolicy));
    expect([...replaced(prod)]).toEqual(["Retain"]);
    expect([...replaced(developer)]).toEqual([undefined]);
    for (const { resource } of resourcesOf(prod, "AWS::ECS::TaskDefinition"))
      expect(resource.DeletionPolicy).toBe("Delete");
  });

  it("is nothing of a developer's stage", () => {
    const kept = resourcesOf(developer).filter(({ resource }) => resource.DeletionPolicy === "Retain");
    expect(kept.map(({ stack, id }) => `${stack} ${id}`)).toEqual([]);
  });

  it("is nothing of the installations: but for exports, no stack makes or changes a bucket, a secret, a database, a file system or a cluster", () => {
    const types = new Set(resourcesOf(prod).map(({ resource }) => resource.Type));
    expect(
      [...types].filter((type) =>
        /^AWS::(S3::(?!Bucket(Policy)?$)|SecretsManager|RDS|EFS|EC2::(?!VPCEndpoint|SecurityGroup)|ECS::(Cluster|Service))/.test(
          type,
        ),
      ),
    ).toEqual([]);
  });
});

describe("the bucket of exports", () => {
  const buckets = resourcesOf(prod, "AWS::S3::Bucket");
  const [bucket, ...others] = buckets.filter(({ id }) => id.startsWith("ExportBucket"));

  it("is made where it is asked for: encrypted with a key of its own, with versions, closed to the public", () => {
    expect(others).toEqual([]);
    const { Properties = {} } = bucket?.resource ?? {};
    expect(Properties).toMatchObject({
      BucketName: "sagemaker-clinic-a",
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: "Enabled" },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    expect(textOf(Properties.BucketEncryption)).toMatch(/ExportKey.*aws:kms/);
    expect(textOf(Properties.LifecycleConfiguration)).toMatch(/"NoncurrentDays":30/);
  });

  it("refuses who comes without TLS", () => {
    const policies = resourcesOf(prod, "AWS::S3::BucketPolicy");
    expect(policies).toHaveLength(buckets.length);
    for (const policy of policies)
      expect(textOf(policy.resource.Properties)).toMatch(/"aws:SecureTransport":"false".*"Effect":"Deny"/);
  });
});

describe("the archive of received mail", () => {
  const [bucket, ...others] = resourcesOf(prod, "AWS::S3::Bucket").filter(({ id }) => id.startsWith("MailArchive"));
  const rule = "receipt-rule-set/openemr-ops:receipt-rule/openemr-ops-prod-clinic-a";

  it("is encrypted with a key of its own by the bucket itself, closed to the public, and forgets in time", () => {
    expect(others).toEqual([]);
    const { Properties = {} } = bucket?.resource ?? {};
    expect(Properties).toMatchObject({
      BucketName: "clinic-a-received-mail",
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    expect(textOf(Properties.BucketEncryption)).toMatch(/MailKey.*aws:kms/);
    expect(textOf(Properties.LifecycleConfiguration)).toMatch(
      /"ExpirationInDays":30,"NoncurrentVersionExpiration":\{"NoncurrentDays":1\}/,
    );
  });

  it.each(["AWS::S3::BucketPolicy", "AWS::KMS::Key"])("lets SES in for this account's one rule alone: %s", (type) => {
    const texts = resourcesOf(prod, type).map(({ resource }) => JSON.stringify(resource.Properties));
    const found = texts.filter((text) => text.includes("ses.amazonaws.com"));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('"aws:SourceAccount":"123456789012"');
    expect(found[0]).toContain(rule);
  });

  it("is written by a rule that names whose mail it takes, does not encrypt, and calls the function after it stored", () => {
    const [received, ...more] = resourcesOf(prod, "AWS::SES::ReceiptRule");
    expect(more).toEqual([]);
    expect(received?.resource.Properties).toMatchObject({
      RuleSetName: "openemr-ops",
      Rule: {
        Enabled: true,
        ScanEnabled: true,
        Recipients: ["clinic-a.example.org"],
        Actions: [
          { S3Action: { BucketName: "clinic-a-received-mail", ObjectKeyPrefix: "inbound/" } },
          { LambdaAction: { InvocationType: "Event" } },
        ],
      },
    });
    expect(JSON.stringify(received)).not.toContain("KmsKeyArn");
  });
});

describe("the jobs' table", () => {
  const [table] = resourcesOf(prod, "AWS::DynamoDB::Table");

  it("is paid by use, encrypted with the stage's key, recoverable to any second and not deleted by mistake", () => {
    expect(table?.resource.Properties).toMatchObject({
      TableName: "openemr-ops-prod-job-records",
      BillingMode: "PAY_PER_REQUEST",
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true, SSEType: "KMS" },
      TimeToLiveSpecification: { AttributeName: "expiresAt", Enabled: true },
    });
  });

  it("lists jobs by the key that rights are given by, newest first", () => {
    expect(table?.resource.Properties?.GlobalSecondaryIndexes).toEqual([
      {
        IndexName: "byMoment",
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "listKey", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ]);
  });

  it("may go with a developer's stage", () => {
    const [removable] = resourcesOf(developer, "AWS::DynamoDB::Table");
    expect(removable?.resource.Properties?.DeletionProtectionEnabled).toBe(false);
  });
});

describe("what is written", () => {
  it("is encrypted with the stage's key: logs, queues and alarms", () => {
    const logs = resourcesOf(prod, "AWS::Logs::LogGroup");
    const queues = resourcesOf(prod, "AWS::SQS::Queue");
    const topics = resourcesOf(prod, "AWS::SNS::Topic");
    expect([logs.length > 10, queues.length, topics.length]).toEqual([true, 6, 1]);
    for (const { resource } of logs) {
      expect(textOf(resource.Properties?.KmsKeyId)).toMatch(/^<(FnGetAtt)?Key/);
      expect(resource.Properties?.RetentionInDays).toBe(400);
    }
    for (const { resource } of [...queues, ...topics])
      expect(textOf(resource.Properties?.KmsMasterKeyId)).toMatch(/^<(FnGetAtt)?Key/);
  });

  it("has keys that AWS renews every year: the stage's, one for exports and one for received mail", () => {
    const keys = resourcesOf(prod, "AWS::KMS::Key");
    expect(keys.map(({ resource }) => resource.Properties?.EnableKeyRotation)).toEqual([true, true, true]);
  });
});
