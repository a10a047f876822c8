import { retryableErrorNames } from "@openemr-ops/core/errors";
import { isOurs, nameFailure } from "@openemr-ops/jobs/nameFailure";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("the name of a failure", () => {
  it("is ours where the failure is ours, with the message of a container or of a function", () => {
    expect(nameFailure("DiskFullError", "no space left")).toEqual({ name: "DiskFullError", message: "no space left" });
    const cause = JSON.stringify({
      errorType: "InstallationBusyError",
      errorMessage: "clinic-a: dump-repository is held by job x\nand more",
      trace: ["InstallationBusyError: clinic-a", "    at begin (/var/task/begin.js:1:1)"],
    });
    expect(nameFailure("InstallationBusyError", cause)).toEqual({
      name: "InstallationBusyError",
      message: "clinic-a: dump-repository is held by job x",
    });
  });

  it("knows every error that a workflow may retry", () => {
    expect(retryableErrorNames.filter((name) => !isOurs(name))).toEqual([]);
    expect(["OpsError", "FatalError", "Error", "toOpsError", ""].filter(isOurs)).toEqual([]);
  });

  it.each([
    ["States.HeartbeatTimeout", "TaskLostError"],
    ["States.Timeout", "JobTimeoutError"],
    ["ECS.AccessDeniedException", "TaskNotStartedError"],
    ["AmazonECS.Unknown", "TaskNotStartedError"],
    ["States.TaskFailed", "UnexpectedError"],
    ["States.Runtime", "UnexpectedError"],
    ["States.DataLimitExceeded", "UnexpectedError"],
    ["Lambda.Unknown", "UnexpectedError"],
    ["Sandbox.Timedout", "UnexpectedError"],
    ["TypeError", "UnexpectedError"],
    [undefined, "UnexpectedError"],
  ])("is, for %s of AWS, %s, and AWS's words stay in the execution", (name, ours) => {
    const { name: named, message } = nameFailure(name, "canary-4f1e");

    expect(named).toBe(ours);
    expect(message).not.toContain("canary");
    if (name?.includes(".") && ours !== "TaskLostError" && ours !== "JobTimeoutError") expect(message).toContain(name);
  });

  it("is always ours, with one line of at most a thousand characters, whatever the failure was", () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom("DiskFullError", "IntegrityError", "States.Timeout", "__proto__"),
    );
    const cause = fc.oneof(
      fc.string({ maxLength: 3000 }),
      fc.json(),
      fc
        .record({ errorMessage: fc.oneof(fc.string({ maxLength: 3000 }), fc.integer()) })
        .map((said) => JSON.stringify(said)),
    );
    fc.assert(
      fc.property(fc.option(name, { nil: undefined }), fc.option(cause, { nil: undefined }), (given, because) => {
        const failure = nameFailure(given, because);
        expect(isOurs(failure.name)).toBe(true);
        expect(failure.message).toMatch(/^[^\r\n]{1,1000}$/u);
      }),
    );
  });
});
