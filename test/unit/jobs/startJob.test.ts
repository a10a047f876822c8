import { InvalidInputError } from "@openemr-ops/core/errors";
import { ulidPattern, ulidTime } from "@openemr-ops/core/ids";
import { jobName } from "@openemr-ops/events/jobEvent";
import { stateMachineOf, type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";
import type { StartRequest } from "@openemr-ops/events/workflowSteps";
import { scheduledJobId, startJob } from "@openemr-ops/jobs/startJob";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const stage = "production";
const machineOf = (installation: string, kind: WorkflowKind): string =>
  `arn:aws:states:eu-central-1:123456789012:stateMachine:${stateMachineOf(stage, installation, kind)}`;

const aStartRequest = (changes: Partial<StartRequest> = {}): StartRequest => ({
  kind: "dump",
  installation: "clinic-a",
  stateMachine: machineOf("clinic-a", "dump"),
  dueAt: "2026-11-20T02:30:00Z",
  input: { dryRun: true },
  ...changes,
});

/** Executions as Step Functions has them: one for each name. */
const memoryExecutions = () => {
  const running = new Map<string, unknown>();
  return {
    running,
    start: async ({ stateMachineArn, name, input }: { stateMachineArn: string; name: string; input: unknown }) => {
      const started = !running.has(name);
      if (started) running.set(name, input);
      return { executionArn: `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`, started };
    },
  };
};

const start = (request: StartRequest, executions: ReturnType<typeof memoryExecutions>, configured = ["clinic-a"]) =>
  startJob(request, { stage, configured: new Set(configured) }, executions);

describe("the job of a due time", () => {
  it("is not started for an installation that the configuration no longer has, and again once it is back", async () => {
    const executions = memoryExecutions();
    expect(await start(aStartRequest(), executions, ["clinic-b"])).toEqual({
      jobId: scheduledJobId(aStartRequest()),
      started: false,
      reason: "clinic-a is not in the configuration",
    });
    expect(executions.running.size).toBe(0);
    expect(await start(aStartRequest(), executions, ["clinic-b", "clinic-a"])).toMatchObject({ started: true });
  });

  it("starts once, however often the schedule's message comes", async () => {
    const executions = memoryExecutions();
    const first = await start(aStartRequest(), executions);
    const second = await start(aStartRequest({ dueAt: "2026-11-20T02:30:00.000Z" }), executions);

    expect(first).toEqual({
      jobId: scheduledJobId(aStartRequest()),
      execution: `arn:aws:states:eu-central-1:123456789012:execution:openemr-ops-production-clinic-a-DumpInstallation:${first.jobId}`,
      started: true,
    });
    expect(second).toEqual({ ...first, started: false });
    expect([...executions.running.values()]).toEqual([{ dryRun: true }]);
  });

  it.each<Partial<StartRequest>>([
    { kind: "restore", stateMachine: machineOf("clinic-a", "restore") },
    { stateMachine: machineOf("clinic-a", "restore") },
    { stateMachine: machineOf("clinic-a-b", "dump") },
    { installation: "b-clinic-a", stateMachine: machineOf("clinic-a", "dump") },
    { stateMachine: machineOf("clinic-a", "dump").replace("production", "production2") },
    { stateMachine: "arn:aws:states:eu-central-1:123456789012:stateMachine:somebody-elses" },
  ])("is started by no message but a schedule's own: %j", async (changes) => {
    const executions = memoryExecutions();
    await expect(start(aStartRequest(changes), executions)).rejects.toThrow(InvalidInputError);
    expect(executions.running.size).toBe(0);
  });

  it("has a name of its own, which sorts by its due time", () => {
    const moment = fc.date({ min: new Date("2026-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
    const request = fc.record({
      kind: fc.constantFrom(...workflowKinds),
      installation: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/),
      dueAt: moment.map((date) => date.toISOString()),
    });
    fc.assert(
      fc.property(request, request, (one, other) => {
        const [left, right] = [scheduledJobId(one), scheduledJobId(other)];
        expect(left).toMatch(ulidPattern);
        expect(jobName.safeParse(left).success).toBe(true);
        expect(ulidTime(left).toISOString()).toBe(one.dueAt);
        expect(left === right).toBe(JSON.stringify(one) === JSON.stringify(other));
        if (one.dueAt !== other.dueAt) expect(left < right).toBe(one.dueAt < other.dueAt);
      }),
    );
  });
});
