import { InvalidInputError } from "@openemr-ops/core/errors";
import { rotationRequest } from "@openemr-ops/events/rotationRequest";
import { rotationStep } from "@openemr-ops/jobs/rotationStep";
import { describe, expect, it } from "vitest";

const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:clinic-a/slots-AbCdEf";
const stateMachine = "arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-clinic-a-Rotate";
const token = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const context = { secret, stateMachine, installation: "clinic-a" };
const steps = ["createSecret", "setSecret", "testSecret", "finishSecret"] as const;
type Status = { readonly status: string; readonly failure?: { readonly name: string; readonly message: string } };

/** One workflow, whose executions are in the state that a test gives them. */
const aWorkflow = () => {
  const executions = new Map<string, Status>();
  const filled: string[] = [];
  const inputs: unknown[] = [];
  const arnOf = (name: string) => `${stateMachine.replace(":stateMachine:", ":execution:")}:${name}`;
  return {
    filled,
    inputs,
    end: (state: Status) => executions.set(arnOf(token), state),
    count: () => executions.size,
    call: (Step: (typeof steps)[number], SecretId = secret) =>
      rotationStep({ Step, SecretId, ClientRequestToken: token }, context, {
        executions: {
          start: async ({ name, input }) => {
            const started = !executions.has(arnOf(name));
            if (started) {
              executions.set(arnOf(name), { status: "RUNNING" });
              inputs.push(input);
            }
            return { executionArn: arnOf(name), started };
          },
          describe: async (arn) => executions.get(arn),
        },
        fillVersion: async (version) => {
          filled.push(version);
        },
      }),
  };
};

describe("a rotation that Secrets Manager asks for", () => {
  it("is one job, however often each step is repeated", async () => {
    const workflow = aWorkflow();
    for (const step of [...steps, ...steps, "setSecret", "createSecret"] as const) await workflow.call(step);
    expect(workflow.inputs).toEqual([{}]);
    expect(workflow.count()).toBe(1);
    expect(await workflow.call("finishSecret")).toEqual({ jobId: token, state: "running" });
    workflow.end({ status: "SUCCEEDED" });
    for (const step of steps) expect(await workflow.call(step)).toEqual({ jobId: token, state: "succeeded" });
    expect(workflow.count()).toBe(1);
  });

  it("gives a text to the opened version before the job, and writes none once there is a job", async () => {
    const workflow = aWorkflow();
    expect(await workflow.call("createSecret")).toEqual({ jobId: token, state: "none" });
    await workflow.call("createSecret");
    expect(workflow.filled).toEqual([token, token]);
    await workflow.call("setSecret");
    await workflow.call("createSecret");
    expect(workflow.filled).toEqual([token, token]);
  });

  it("starts nothing when the function is only tried, and is not finished without a job", async () => {
    const workflow = aWorkflow();
    expect(await workflow.call("testSecret")).toEqual({ jobId: token, state: "none" });
    expect(workflow.count()).toBe(0);
    await expect(workflow.call("finishSecret")).rejects.toThrow(/ClientRequestToken: names no job of clinic-a/);
  });

  it.each([
    [
      { status: "FAILED", failure: { name: "ServiceScaledToZeroError", message: "0 tasks" } },
      "ServiceScaledToZeroError",
    ],
    [{ status: "FAILED", failure: { name: "TypeError", message: "canary" } }, "UnexpectedError"],
    [{ status: "TIMED_OUT" }, "JobTimeoutError"],
    [{ status: "ABORTED" }, "JobAbortedError"],
  ])("fails as its job did: %o is %s", async (ended, name) => {
    const workflow = aWorkflow();
    await workflow.call("setSecret");
    workflow.end(ended);
    for (const step of [...steps, ...steps]) {
      const failure = await workflow.call(step).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name });
      expect(String(failure)).not.toContain("canary");
    }
    expect(workflow.inputs).toHaveLength(1);
  });

  it.each([secret.replace("clinic-a", "clinic-b"), `${secret}-AbCdEf7`, "clinic-a/slots"])(
    "refuses the secret %s",
    async (other) => {
      const workflow = aWorkflow();
      for (const step of steps)
        await expect(workflow.call(step, other)).rejects.toThrow(/^SecretId: expected arn:.*clinic-a\/slots-AbCdEf/);
      expect(workflow.filled).toEqual([]);
      expect(workflow.count()).toBe(0);
    },
  );

  it("knows its secret where the configuration leaves out the end of the ARN", async () => {
    const request = { Step: "testSecret", SecretId: secret, ClientRequestToken: token } as const;
    const nothing = { start: () => Promise.reject(new InvalidInputError([])), describe: async () => undefined };
    const ports = { executions: nothing, fillVersion: async () => {} };
    const short = { ...context, secret: secret.replace(/-AbCdEf$/, "") };
    expect(await rotationStep(request, short, ports)).toMatchObject({ state: "none" });
    const longer = { ...request, SecretId: secret.replace("slots", "slots-of-others") };
    await expect(rotationStep(longer, short, ports)).rejects.toThrow(InvalidInputError);
  });
});

describe("what Secrets Manager sends", () => {
  const request = { Step: "setSecret", SecretId: secret, ClientRequestToken: token };

  it("may have more fields", () => {
    expect(rotationRequest.parse({ ...request, RotationToken: "session" })).toEqual(request);
  });

  it.each([
    ["Step", { ...request, Step: "dropSecret" }],
    ["ClientRequestToken", { ...request, ClientRequestToken: undefined }],
    ["ClientRequestToken", { ...request, ClientRequestToken: "../other" }],
    ["SecretId", { ...request, SecretId: undefined }],
  ])("is refused when %s is wrong", (field, wrong) => {
    expect(rotationRequest.safeParse(wrong).error?.issues[0]?.path).toEqual([field]);
  });
});
