import { stoppedTask, type TaskChange } from "@openemr-ops/jobs/stoppedTask";
import { describe, expect, it } from "vitest";

const aChange = (changes: Partial<TaskChange> = {}): TaskChange => ({
  lastStatus: "STOPPED",
  stopCode: "EssentialContainerExited",
  stoppedReason: "Essential container in task exited",
  containers: [{ name: "task", exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" }],
  overrides: {
    containerOverrides: [
      {},
      {
        environment: [
          { name: "OPENEMR_OPS_JOB", value: "{}" },
          { name: "OPENEMR_OPS_TASK_TOKEN", value: "token" },
        ],
      },
    ],
  },
  ...changes,
});

describe("a task that stopped", () => {
  it("gives its workflow the reason in ECS's words, and its status", () => {
    expect(stoppedTask(aChange())).toEqual({
      token: "token",
      failure: {
        name: "TaskStoppedError",
        message:
          "the task stopped: Essential container in task exited; task: OutOfMemoryError: Container killed due to memory usage; task ended with status 137",
      },
    });
  });

  it("counts as not started when it never ran", () => {
    const containers = [{ name: "task", reason: "CannotPullContainerError: no such image" }];
    expect(stoppedTask(aChange({ stopCode: "TaskFailedToStart", stoppedReason: undefined, containers }))).toEqual({
      token: "token",
      failure: {
        name: "TaskNotStartedError",
        message: "the task did not start: task: CannotPullContainerError: no such image",
      },
    });
  });

  it("says that it knows no reason rather than nothing", () => {
    const { failure } = stoppedTask(aChange({ stoppedReason: undefined, containers: [] })) ?? {};
    expect(failure?.message).toBe("the task stopped: no reason is known");
  });

  it("says no more than a workflow takes", () => {
    const { failure } = stoppedTask(aChange({ stoppedReason: "x".repeat(50_000) })) ?? {};
    expect(failure?.message).toHaveLength(1000);
  });

  it.each<[string, Partial<TaskChange>]>([
    ["that goes on", { lastStatus: "DEPROVISIONING" }],
    ["that was under no workflow", { overrides: { containerOverrides: [{ environment: [] }] } }],
    [
      "whose token is empty",
      { overrides: { containerOverrides: [{ environment: [{ name: "OPENEMR_OPS_TASK_TOKEN" }] }] } },
    ],
  ])("is not one %s", (_, changes) => {
    expect(stoppedTask(aChange(changes))).toBeUndefined();
  });
});
