import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient } from "@aws-sdk/client-sfn";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { namesOf } from "@openemr-ops/core/names";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";

const names = namesOf("test");

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
  await createJobsTable(names.jobsTable);
  await new SFNClient().send(
    new CreateStateMachineCommand({
      name: names.stateMachine("clinic-a", "DumpInstallation"),
      roleArn: "arn:aws:iam::123456789012:role/workflow",
      definition: JSON.stringify({ StartAt: "Wait", States: { Wait: { Type: "Wait", Seconds: 60, End: true } } }),
    }),
  );
});
afterAll(() => aws[Symbol.asyncDispose]());

/** Starts `openemr-ops <line> --json` as a process of its own, in AWS's place. */
const run = async (line: string, environment: Readonly<Record<string, string>> = {}) => {
  const main = join(repositoryRoot, "packages/cli/src/main.ts");
  const child = spawn(process.execPath, [main, ...line.split(" "), "--json"], {
    env: { PATH: process.env.PATH, OPENEMR_OPS_STAGE: "test", ...aws.environment, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, , [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { exitCode, json: JSON.parse(stdout) };
};

describe("the command line at a control plane", () => {
  it("starts a workflow under a name of its own, with the input that was checked", async () => {
    const { exitCode, json } = await run("run dump --installation clinic-a --dry-run");

    expect(exitCode).toBe(0);
    const execution = await new SFNClient().send(new DescribeExecutionCommand({ executionArn: json.execution }));
    expect(execution).toMatchObject({ name: json.jobId, status: "RUNNING", input: '{"dryRun":true}' });
  });

  it("watches and lists what the control plane recorded", async () => {
    const ledger = dynamoLedger({ table: names.jobsTable });
    const record = aJobRecord();
    await ledger.create(record);
    const error = { name: "KeyPairError", message: "the keys do not fit" };
    await ledger.end(record, { status: "failed", endedAt: "2026-11-20T12:01:00.000Z", error });

    const watched = await run(`watch ${record.jobId} --installation clinic-a`);
    expect(watched).toMatchObject({ exitCode: 6, json: { jobId: record.jobId, status: "failed", error } });
    expect(await run("jobs --installation clinic-a")).toEqual({ exitCode: 0, json: [watched.json] });
  });

  it.each([
    ["run dump --installation clinic-b", {}, 4, "ControlPlaneMissingError"],
    ["jobs --installation clinic-a --stage other", {}, 4, "ControlPlaneMissingError"],
    ["jobs --installation clinic-a", { AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, 4, "ControlPlaneUnavailableError"],
    ["jobs --installation clinic-a", { AWS_REGION: "", AWS_CONFIG_FILE: "/nonexistent" }, 2, "InvalidInputError"],
    [
      "jobs --installation clinic-a",
      {
        AWS_ACCESS_KEY_ID: "",
        AWS_SECRET_ACCESS_KEY: "",
        AWS_CONFIG_FILE: "/nonexistent",
        AWS_SHARED_CREDENTIALS_FILE: "/nonexistent",
      },
      4,
      "ControlPlaneAccessDeniedError",
    ],
  ])("ends %s with %j under a name of ours", async (line, environment, exitCode, name) => {
    expect(await run(line, environment)).toMatchObject({ exitCode, json: { error: { name } } });
  });
});
