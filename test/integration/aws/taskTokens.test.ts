import { SFNClient } from "@aws-sdk/client-sfn";
import { type TaskTokens, taskTokens } from "@openemr-ops/aws/taskTokens";
import { ControlPlaneAccessDeniedError, ControlPlaneUnavailableError, UnexpectedError } from "@openemr-ops/core/errors";
import { describe, expect, it } from "vitest";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

const clientFor = (endpoint: string): SFNClient =>
  new SFNClient({
    endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local-only" },
    maxAttempts: 1,
  });

const calls: readonly { readonly call: string; readonly make: (tokens: TaskTokens) => Promise<unknown> }[] = [
  { call: "SendTaskSuccess", make: (tokens) => tokens.succeed("token", { figures: {}, result: {} }) },
  { call: "SendTaskFailure", make: (tokens) => tokens.fail("token", { name: "IntegrityError", message: "a byte" }) },
  { call: "SendTaskHeartbeat", make: (tokens) => tokens.heartbeat("token") },
];

const withStub = async <Result>(answer: AwsAnswer, work: (tokens: TaskTokens) => Promise<Result>) => {
  await using stub = await startAwsStub(() => answer);
  const result = await work(taskTokens({ client: clientFor(stub.url) }));
  return { result, calls: [...stub.calls] };
};

describe("a task token", () => {
  it("takes a result, a failure and heartbeats", async () => {
    const { result, calls: sent } = await withStub({ body: {} }, async (tokens) => [
      await tokens.heartbeat("AQ=="),
      await tokens.succeed("AQ==", { figures: { rows: 7 }, result: { dumpId: "01K" } }),
      await tokens.fail("AQ==", { name: "IntegrityError", message: "a byte differs" }),
    ]);

    expect(result).toEqual(["taken", "taken", "taken"]);
    expect(sent).toEqual([
      { action: "SendTaskHeartbeat", input: { taskToken: "AQ==" } },
      {
        action: "SendTaskSuccess",
        input: { taskToken: "AQ==", output: '{"figures":{"rows":7},"result":{"dumpId":"01K"}}' },
      },
      { action: "SendTaskFailure", input: { taskToken: "AQ==", error: "IntegrityError", cause: "a byte differs" } },
    ]);
  });

  for (const error of ["TaskTimedOut", "InvalidToken", "TaskDoesNotExist"])
    it.each(calls)(`is gone when $call is answered with ${error}`, async ({ make }) => {
      expect((await withStub({ error }, make)).result).toBe("gone");
    });

  it.each(calls)("names the right that is missing for $call", async ({ call, make }) => {
    const refusal = withStub({ error: "AccessDeniedException" }, make);
    await expect(refusal).rejects.toThrow(ControlPlaneAccessDeniedError);
    await expect(refusal).rejects.toThrow(`states:${call}`);
  });

  it.each(calls)("tells that $call can be tried again when the service is busy, broken or away", async ({ make }) => {
    for (const answer of [
      { error: "ThrottlingException" },
      { error: "InternalFailure", status: 500 },
      { error: "Unknown", status: 503 },
    ])
      await expect(withStub(answer, make)).rejects.toThrow(ControlPlaneUnavailableError);
    const away = taskTokens({ client: clientFor("http://127.0.0.1:1") });
    await expect(make(away)).rejects.toThrow(ControlPlaneUnavailableError);
    await expect(make(away)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("refuses a result that a workflow cannot take, and sends nothing", async () => {
    await using stub = await startAwsStub(() => ({ body: {} }));
    const tokens = taskTokens({ client: clientFor(stub.url) });
    const tooLarge = tokens.succeed("token", { text: "x".repeat(256 * 1024) });

    await expect(tooLarge).rejects.toThrow(UnexpectedError);
    await expect(tooLarge).rejects.toThrow(/262144/);
    expect(stub.calls).toEqual([]);
    expect(await tokens.succeed("token", "x".repeat(256 * 1024 - 2))).toBe("taken");
  });

  it("cuts a name and a cause that a workflow cannot take, between characters", async () => {
    const message = `${"é".repeat(20_000)}end`;
    const { calls: sent } = await withStub({ body: {} }, (tokens) =>
      tokens.fail("token", { name: "N".repeat(300), message }),
    );
    const [{ error, cause } = { error: "", cause: "" }] = sent.map(({ input }) => ({
      error: String(input.error),
      cause: String(input.cause),
    }));

    expect(error).toHaveLength(256);
    expect(Buffer.byteLength(cause)).toBeLessThanOrEqual(32 * 1024);
    expect(cause).toMatch(/^é+…$/);
    expect(cause.length).toBeGreaterThan(16_000);
  });
});
