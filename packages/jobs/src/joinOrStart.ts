import { createHash } from "node:crypto";
import { InvalidInputError, JobTimeoutError, TaskNotStartedError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { nameFailure } from "./nameFailure.ts";
import type { StartsExecutions } from "./startJob.ts";
import { WorkflowFailure } from "./workflowFailure.ts";

/** An execution as a list shows it. */
export interface ListedExecution {
  /** ARN. */
  readonly execution: string;
  /** The job's identifier. */
  readonly name: string;
  readonly running: boolean;
  readonly startedAt: Date;
}

/** What the history of an execution says. */
export interface ExecutionSoFar {
  readonly input: unknown;
  /** ARNs of the containers that it started, in order. */
  readonly tasks: readonly string[];
  /** Why the container service did not start the last one. */
  readonly refused?: { readonly name: string; readonly cause: string } | undefined;
  /** Why the execution did not succeed. */
  readonly failed?: { readonly name: string; readonly cause: string } | undefined;
  readonly running: boolean;
}

/** Executions of workflows, as whoever starts one and waits for its container sees them. */
export interface WatchedExecutions extends StartsExecutions {
  /** The newest of a workflow, newest first. */
  newest(stateMachine: string): Promise<readonly ListedExecution[]>;
  look(execution: string): Promise<ExecutionSoFar>;
}

export interface JoinPorts {
  readonly executions: WatchedExecutions;
  readonly now: () => Date;
  /** Waits for so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

export interface JoinRequest {
  /** ARN. */
  readonly stateMachine: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** How long the caller waits for the container, in seconds. */
  readonly patience: number;
}

/** A job whose container has started. */
export interface JoinedJob {
  readonly jobId: string;
  readonly execution: string;
  readonly task: string;
  readonly startedAt: Date;
  /** False when it ran already. */
  readonly started: boolean;
}

const isDryRun = (input: unknown): boolean =>
  typeof input === "object" && input !== null && "dryRun" in input && input.dryRun === true;

const minute = 60_000;

/** The same name for everyone who asks within a minute and sees the same job before it, so that two calls are one job. */
const nameAfter = (stateMachine: string, before: string | undefined, now: Date): string => {
  const bytes = createHash("sha256")
    .update(`${stateMachine}\n${before ?? ""}`)
    .digest()
    .values();
  return ulid(new Date(Math.floor(now.getTime() / minute) * minute), () => (bytes.next().value ?? 0) / 256);
};

/** Waits until an execution has a container, and says why when it gets none. */
const taskOf = async (execution: string, { patience }: JoinRequest, ports: JoinPorts): Promise<string> => {
  const until = ports.now().getTime() + patience * 1000;
  for (;;) {
    const { tasks, refused, failed, running } = await ports.executions.look(execution);
    const task = tasks.at(-1);
    if (task !== undefined) return task; // how it ended, if it has, is asked of its job
    if (failed) throw new WorkflowFailure(nameFailure(failed.name, failed.cause));
    if (!running) throw new JobTimeoutError("the workflow ended without a container; see its execution");
    if (refused)
      throw new TaskNotStartedError(
        `the container service did not start the task (${refused.name}); the workflow tries again, and ExportStatus shows how it goes`,
      );
    if (ports.now().getTime() >= until)
      throw new TaskNotStartedError(
        `no container has started within ${patience} s; the workflow goes on, and ExportStatus shows how`,
      );
    await ports.pause(500);
  }
};

/** Executions that run and do something: whoever tries a dry run meanwhile is nobody to wait for. */
const runningOne = async ({ stateMachine }: JoinRequest, ports: JoinPorts) => {
  const listed = await ports.executions.newest(stateMachine);
  for (const one of listed)
    if (one.running && !isDryRun((await ports.executions.look(one.execution)).input)) return { running: one, listed };
  return { listed };
};

/**
 * The job of a workflow that runs, or a new one, as soon as its container has started. Two calls at once are one job; the
 * workflow's own lock holds where they are not.
 *
 * @throws {InvalidInputError} fatal: the workflow refuses the input
 * @throws {TaskNotStartedError} the container has not started; the job goes on
 * @throws what the workflow failed with, under its name
 */
export const joinOrStart = async (request: JoinRequest, ports: JoinPorts): Promise<JoinedJob> => {
  const join = async ({ execution, name, startedAt }: Omit<ListedExecution, "running">, started: boolean) => ({
    jobId: name,
    execution,
    startedAt,
    started,
    task: await taskOf(execution, request, ports),
  });
  const { running, listed } = await runningOne(request, ports);
  if (running) return join(running, false);
  const { stateMachine, input } = request;
  const startedAt = ports.now();
  const name = nameAfter(stateMachine, listed[0]?.name, startedAt);
  const { executionArn, started } = await ports.executions.start({ stateMachineArn: stateMachine, name, input });
  try {
    return await join({ execution: executionArn, name, startedAt }, started);
  } catch (error) {
    if (!(error instanceof WorkflowFailure) || error.name !== "InstallationBusyError") throw error;
    const { running: other } = await runningOne(request, ports); // it began between the look and the start
    if (!other) throw error;
    return join(other, false);
  }
};

/** Refuses an event that names another installation than the one whose function it is. */
export const assertInstallation = (event: unknown, installation: string): void => {
  if (typeof event !== "object" || event === null || !("installation" in event)) return;
  const { installation: named } = event;
  if (named === undefined || named === null || named === installation) return;
  throw new InvalidInputError([
    { path: "installation", message: `expected "${installation}", whose function this is, or nothing` },
  ]);
};
