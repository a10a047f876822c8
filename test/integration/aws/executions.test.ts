import { CreateStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { executions } from "@openemr-ops/aws/executions";
import { ControlPlaneMissingError, InvalidInputError } from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
  await new SFNClient().send(
    new CreateStateMachineCommand({
      name: "openemr-ops-test-clinic-a-DumpInstallation",
      roleArn: "arn:aws:iam::123456789012:role/workflow",
      definition: JSON.stringify({ StartAt: "Wait", States: { Wait: { Type: "Wait", Seconds: 60, End: true } } }),
    }),
  );
});
afterAll(() => aws[Symbol.asyncDispose]());

const stateMachineArn = "arn:aws:states:us-east-1:123456789012:stateMachine:openemr-ops-test-clinic-a-DumpInstallation";
const executionArn = (name: string): string => `${stateMachineArn.replace("stateMachine", "execution")}:${name}`;

describe("executions", () => {
  it("find a state machine by its name in this account and region", async () => {
    expect(await executions().find("openemr-ops-test-clinic-a-DumpInstallation")).toBe(stateMachineArn);
    expect(await executions().find("openemr-ops-test-clinic-b-DumpInstallation")).toBeUndefined();
  });

  it("start once for each name, and say where the first one is", async () => {
    const request = { stateMachineArn, name: "01K0", input: { kind: "dump" } };
    expect(await executions().start(request)).toEqual({ executionArn: executionArn("01K0"), started: true });
    expect(await executions().start({ ...request, input: { kind: "drill" } })).toEqual({
      executionArn: executionArn("01K0"),
      started: false,
    });
  });

  it("tell how they are until somebody stops them", async () => {
    const { executionArn: arn } = await executions().start({ stateMachineArn, name: "01K1", input: {} });
    expect(await executions().describe(arn)).toMatchObject({ executionArn: arn, name: "01K1", status: "RUNNING" });

    await executions().stop(arn, { name: "JobAbortedError", message: "stopped by a person" });
    await executions().stop(arn, { name: "JobAbortedError", message: "stopped by a person" });
    expect(await executions().describe(arn)).toMatchObject({ status: "ABORTED", stoppedAt: expect.any(Date) });
  });

  it("know nothing of one that was never started", async () => {
    expect(await executions().describe(executionArn("never"))).toBeUndefined();
  });

  it("name the state machine that is not there", async () => {
    const absent = stateMachineArn.replace("clinic-a", "clinic-b");
    const refusal = executions().start({ stateMachineArn: absent, name: "01K2", input: {} });
    await expect(refusal).rejects.toThrow(ControlPlaneMissingError);
    await expect(refusal).rejects.toThrow(absent);
  });

  it("say which variable names the region when none does", async () => {
    vi.stubEnv("AWS_REGION", undefined);
    vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
    const refusal = executions().find("any");
    await expect(refusal).rejects.toThrow(InvalidInputError);
    await expect(refusal).rejects.toThrow(/AWS_REGION/);
    vi.stubEnv("AWS_REGION", "us-east-1");
  });
});
