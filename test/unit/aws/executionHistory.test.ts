import type { HistoryEvent, SFNClient } from "@aws-sdk/client-sfn";
import { executionHistory } from "@openemr-ops/aws/executionHistory";
import { describe, expect, it } from "vitest";

const task = "arn:aws:ecs:eu-central-1:123456789012:task/openemr/1";
const ran = (output: object): Partial<HistoryEvent> => ({
  type: "TaskSubmitted",
  taskSubmittedEventDetails: {
    resourceType: "ecs",
    resource: "runTask.waitForTaskToken",
    output: JSON.stringify(output),
  },
});
const begun: Partial<HistoryEvent> = { type: "ExecutionStarted", executionStartedEventDetails: { input: '{"a":1}' } };

/** Answers one event a page. */
const lookAt = (...events: readonly Partial<HistoryEvent>[]) => {
  const send = async ({ input }: { readonly input: { readonly nextToken?: string } }) => {
    const place = Number(input.nextToken ?? 0);
    return { events: [events[place]], ...(place + 1 < events.length ? { nextToken: String(place + 1) } : {}) };
  };
  return executionHistory({ client: { send } as unknown as SFNClient }).look("execution");
};

describe("the history of an execution", () => {
  it("has its input and the containers that it started, also those of later attempts", async () => {
    const other = task.replace(/1$/, "2");
    const tasks = [task, other].map((TaskArn) => ran({ Failures: [], Tasks: [{ TaskArn }] }));
    expect(await lookAt(begun, ...tasks)).toEqual({ input: { a: 1 }, tasks: [task, other], running: true });
  });

  it("says why a container was not started: RunTask answers so, or fails", async () => {
    const Failures = [{ Reason: "RESOURCE:MEMORY", Detail: "none left" }];
    expect(await lookAt(begun, ran({ Failures, Tasks: [] }))).toMatchObject({
      tasks: [],
      refused: { name: "RESOURCE:MEMORY", cause: "none left" },
    });
    const details = { resourceType: "ecs", resource: "runTask", error: "ECS.InvalidParameterException", cause: "why" };
    const failed = { type: "TaskSubmitFailed", taskSubmitFailedEventDetails: details } as const;
    expect(await lookAt(begun, failed)).toMatchObject({
      refused: { name: "ECS.InvalidParameterException", cause: "why" },
    });
    expect(await lookAt(begun, failed, ran({ Tasks: [{ TaskArn: task }] }))).not.toHaveProperty("refused");
  });

  it.each([
    [{ type: "ExecutionSucceeded" }, undefined],
    [
      { type: "ExecutionFailed", executionFailedEventDetails: { error: "InstallationBusyError", cause: "held" } },
      { name: "InstallationBusyError", cause: "held" },
    ],
    [{ type: "ExecutionAborted" }, { name: "JobAbortedError", cause: "a person stopped the execution" }],
    [{ type: "ExecutionTimedOut" }, { name: "States.Timeout", cause: "" }],
  ] as const)("has its end: $type", async (end, failed) => {
    expect(await lookAt(begun, end)).toEqual({
      input: { a: 1 },
      tasks: [],
      running: false,
      ...(failed ? { failed } : {}),
    });
  });
});
