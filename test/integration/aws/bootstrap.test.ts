import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { accountStacks, findBootstrap, profileUsed } from "@openemr-ops/aws/bootstrap/bootstrapStack";
import { refuseLeftOverTable } from "@openemr-ops/aws/bootstrap/leftOverTable";
import { ControlPlaneAccessDeniedError, ControlPlaneMissingError, InvalidInputError } from "@openemr-ops/core/errors";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";
import { type AwsAnswer, type AwsCall, startAwsStub } from "../../support/awsStub.ts";

const region = "eu-central-1";
const environmentOf = (url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: "none",
  AWS_SECRET_ACCESS_KEY: "none",
  AWS_REGION: region,
});

const described = (name: string, status = "CREATE_COMPLETE"): AwsAnswer => ({
  body: `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>${name}</StackName><StackStatus>${status}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs/></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
});
const missing = ({ input }: AwsCall): AwsAnswer => ({
  error: "ValidationError",
  message: `Stack with id ${input.StackName} does not exist`,
});

/** An account with these stacks, by their states. */
const accountWith =
  (stacks: Readonly<Record<string, string>>) =>
  (call: AwsCall): AwsAnswer => {
    const name = String(call.input.StackName);
    const status = stacks[name];
    return call.action === "DescribeStacks" && status !== undefined ? described(name, status) : missing(call);
  };

/** The stack that SST would use. */
const find = async (answer: (call: AwsCall) => AwsAnswer, role?: string) => {
  await using stub = await startAwsStub(answer);
  for (const [name, value] of Object.entries(environmentOf(stub.url))) vi.stubEnv(name, value);
  const place = { region, role };
  const found = await findBootstrap(accountStacks(place), place).catch((error: unknown) => error);
  return { found, actions: stub.calls.map(({ action }) => action) };
};

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the bootstrap of an account", () => {
  it("is ours, or SST's own where that exists already", async () => {
    const ready = "CREATE_COMPLETE";
    expect(await find(accountWith({ OpenEmrOpsBootstrap: ready }))).toMatchObject({ found: "OpenEmrOpsBootstrap" });
    expect(await find(accountWith({ SSTBootstrap: "UPDATE_COMPLETE" }))).toMatchObject({ found: "SSTBootstrap" });
    expect(await find(accountWith({ OpenEmrOpsBootstrap: ready, SSTBootstrap: ready }))).toMatchObject({
      found: "OpenEmrOpsBootstrap",
    });
  });

  it.each([{}, { OpenEmrOpsBootstrap: "ROLLBACK_COMPLETE" }])("is missing in an account with %o", async (stacks) => {
    const { found } = await find(accountWith(stacks));
    expect(found).toBeInstanceOf(ControlPlaneMissingError);
    expect(String(found)).toContain(
      'no stack OpenEmrOpsBootstrap in this account in eu-central-1; run "npm run bootstrap"',
    );
  });

  it("is not taken for missing by those who may not look", async () => {
    const { found } = await find(() => ({ error: "AccessDenied", status: 403 }));
    expect(found).toBeInstanceOf(ControlPlaneAccessDeniedError);
    expect(String(found)).toContain("cloudformation:DescribeStacks");
  });

  it("is looked for as the role that deploys", async () => {
    const keys =
      "<AccessKeyId>a</AccessKeyId><SecretAccessKey>b</SecretAccessKey><SessionToken>c</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
    const body = `<AssumeRoleResponse><AssumeRoleResult><Credentials>${keys}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
    const known = accountWith({ OpenEmrOpsBootstrap: "CREATE_COMPLETE" });
    const { found, actions } = await find(
      (call) => (call.action === "AssumeRole" ? { body } : known(call)),
      "arn:aws:iam::123456789012:role/deploy",
    );
    expect(found).toBe("OpenEmrOpsBootstrap");
    expect(actions).toEqual(["AssumeRole", "DescribeStacks"]);
  });

  it("is looked for with the profile that SST uses", () => {
    expect(profileUsed("clinic", {})).toBe("clinic");
    expect(profileUsed("clinic", { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" })).toBeUndefined();
  });
});

describe("a table of job records that an earlier deployment left", () => {
  const table = "openemr-ops-production-job-records";
  const stack = "production-openemr-ops-ControlPlaneStack";
  let aws: AwsServer;
  beforeAll(async () => {
    aws = await startAws();
    await createJobsTable(table);
    await createJobsTable("openemr-ops-used-job-records");
    const record = { pk: { S: "RECORD#clinic-a" }, sk: { S: "01K" } };
    await new DynamoDBClient().send(new PutItemCommand({ TableName: "openemr-ops-used-job-records", Item: record }));
  });
  beforeEach(() => {
    for (const [name, value] of Object.entries(aws.environment)) vi.stubEnv(name, value);
  });
  afterAll(() => aws[Symbol.asyncDispose]());

  const refuse = (status: string | undefined, its = table, itsStage = "production") => {
    const stacks = { ...accountStacks({ region: "us-east-1" }), status: async () => status };
    return refuseLeftOverTable({ stack, table: its, stage: itsStage }, stacks, { region: "us-east-1" });
  };

  it.each([undefined, "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])(
    "stops the deployment before it creates anything when the stack is %s, with the commands that delete it",
    async (status) => {
      await expect(refuse(status)).rejects.toThrow(InvalidInputError);
      await expect(refuse(status)).rejects.toThrow(
        /still there, and empty; .*: aws dynamodb update-table --table-name openemr-ops-production-job-records .* && aws dynamodb delete-table --table-name openemr-ops-production-job-records$/,
      );
    },
  );

  it("is not offered for deletion while it has records", async () => {
    const refusal = refuse(undefined, "openemr-ops-used-job-records", "used");
    await expect(refusal).rejects.toThrow(/still there, with records of jobs/);
    await expect(refusal).rejects.not.toThrow(/aws dynamodb/);
  });

  it.each(["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS"])(
    "is the stage's own when its stack is %s",
    (status) => expect(refuse(status)).resolves.toBeUndefined(),
  );

  it("is no obstacle to another stage", async () => {
    await expect(refuse(undefined, "openemr-ops-test-job-records", "test")).resolves.toBeUndefined();
  });
});

describe("sst build", () => {
  it("creates nothing in an account that was not prepared, and shows what prepares it", async () => {
    await using stub = await startAwsStub(missing);
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, ["node_modules/sst/cli/sst.js", "build", "--stage", "production"], {
      cwd: join(repositoryRoot),
      env: { PATH, HOME, SST_TELEMETRY_DISABLED: "1", ...environmentOf(stub.url) },
    });
    const [said, errors, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    expect(said + errors).toContain('run "npm run bootstrap" once');
    expect(status).toBe(1);
    expect(new Set(stub.calls.map(({ action }) => action))).toEqual(new Set(["DescribeStacks"]));
  });
});
