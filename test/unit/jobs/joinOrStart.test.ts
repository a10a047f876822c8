import { type ExecutionSoFar, type JoinPorts, joinOrStart, type ListedExecution } from "@openemr-ops/jobs/joinOrStart";
import { beforeEach, describe, expect, it } from "vitest";

const stateMachine = "arn:aws:states:eu-central-1:123456789012:stateMachine:openemr-ops-prod-clinic-a-ExportSites";
const task = "arn:aws:ecs:eu-central-1:123456789012:task/openemr/1";
const soFar: ExecutionSoFar = { input: {}, tasks: [], running: true };

describe("starting a job and waiting for its container", () => {
  let listed: ListedExecution[];
  let histories: Map<string, ExecutionSoFar[]>;
  let started: string[];
  let fresh: readonly ExecutionSoFar[];
  let time: number;
  beforeEach(() => {
    [listed, histories, started, time] = [[], new Map(), [], Date.parse("2026-11-27T04:00:10Z")];
    fresh = [soFar, { ...soFar, tasks: [task] }];
  });
  const ports: JoinPorts = {
    executions: {
      newest: async () => listed,
      look: async (execution) => {
        const [first = soFar, ...rest] = histories.get(execution) ?? [];
        if (rest.length > 0) histories.set(execution, rest);
        return first;
      },
      start: async ({ name }) => {
        const executionArn = `execution:${name}`;
        if (started.includes(name)) return { executionArn, started: false };
        started.push(name);
        histories.set(executionArn, [...fresh]);
        return { executionArn, started: true };
      },
    },
    now: () => new Date(time),
    pause: async (milliseconds) => {
      time += milliseconds;
    },
  };
  const start = () => joinOrStart({ stateMachine, input: {}, patience: 40 }, ports);
  const runs = (name: string, ...looks: ExecutionSoFar[]) => {
    listed.unshift({ execution: name, name, running: true, startedAt: new Date(time) });
    histories.set(name, looks);
  };

  it("answers the container of a new job", async () => {
    expect(await start()).toMatchObject({ task, started: true, jobId: started[0] });
  });

  it("answers the container of the one that runs, and starts none", async () => {
    runs("earlier", { ...soFar, tasks: ["first", task] });
    expect(await start()).toMatchObject({ task, started: false, jobId: "earlier" });
    expect(started).toEqual([]);
  });

  it("does not wait for a dry run", async () => {
    runs("trial", { ...soFar, input: { dryRun: true }, tasks: ["of the trial"] });
    expect(await start()).toMatchObject({ task, started: true });
  });

  it("makes one job of two calls at once, and another of one after its end", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.jobId).toBe(other.jobId);
    listed.unshift({ execution: `execution:${one.jobId}`, name: one.jobId, running: false, startedAt: new Date(time) });
    expect((await start()).jobId).not.toBe(one.jobId);
  });

  it("joins the job that took the lock meanwhile", async () => {
    const cause = JSON.stringify({ errorMessage: "clinic-a: export-sites is held by job faster" });
    fresh = [{ ...soFar, running: false, failed: { name: "InstallationBusyError", cause } }];
    const newest = ports.executions.newest;
    let asked = 0;
    const late: JoinPorts = {
      ...ports,
      executions: {
        ...ports.executions,
        newest: async (machine) => {
          asked += 1;
          if (asked === 2) runs("faster", { ...soFar, tasks: [task] });
          return newest(machine);
        },
      },
    };
    const joined = await joinOrStart({ stateMachine, input: {}, patience: 40 }, late);
    expect(joined).toMatchObject({ jobId: "faster", task, started: false });
  });

  it.each([
    [
      "the workflow failed before",
      {
        running: false,
        failed: { name: "InvalidInputError", cause: JSON.stringify({ errorMessage: "dump: unknown" }) },
      },
      { name: "InvalidInputError", message: "dump: unknown" },
    ],
    [
      "the container service has no room",
      { refused: { name: "RESOURCE:MEMORY", cause: "" } },
      { name: "TaskNotStartedError", message: expect.stringContaining("RESOURCE:MEMORY") },
    ],
    [
      "none comes in time",
      {},
      { name: "TaskNotStartedError", message: expect.stringContaining("no container has started within 40 s") },
    ],
  ])("says by its name why there is no container: %s", async (_, history, error) => {
    fresh = [{ ...soFar, ...history }];
    await expect(start()).rejects.toMatchObject(error);
  });
});
