import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { DeployedContainer, DeployedTask } from "./deployment.ts";

type TaskStatus = "PROVISIONING" | "RUNNING" | "STOPPED";

/** A container's process that runs here now. */
export interface RunningTask {
  readonly taskArn: string;
  readonly family: string;
  readonly pid: number;
  /** As the container sees it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  kill(signal: NodeJS.Signals): void;
}

/** One task of ECS from RunTask on. */
export interface Task {
  readonly arn: string;
  readonly cluster: string;
  readonly definition: DeployedTask;
  readonly container: string;
  /** What RunTask added to the definition's environment. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly startedBy: string;
  readonly createdAt: Date;
  readonly logFile: string;
  /** Why it cannot start although RunTask took it. */
  readonly refusal?: string | undefined;
  status: TaskStatus;
  startedAt?: Date;
  stoppedAt?: Date;
  exitCode?: number;
  stopCode?: string;
  stoppedReason?: string;
  running?: RunningTask;
}

export interface ContainerOptions {
  readonly directory: string;
  /** What the image's entry point would start. */
  readonly command: readonly string[];
  /** The whole environment of a container's process, without what the definition and RunTask say. */
  readonly environmentOf: (task: Task) => Readonly<Record<string, string>>;
  /** Values that stand in place of some of these: where things lie on this machine. */
  readonly replacementsFor: (
    environment: Readonly<Record<string, string>>,
    family: string,
  ) => Readonly<Record<string, string>>;
  /** Fetches the values of `Secrets`, by the rights of the execution role. */
  readonly secretsOf: (definition: DeployedTask, container: DeployedContainer) => Promise<Record<string, string>>;
  /** How many processes run at once; the others stay in PROVISIONING. */
  readonly parallel: number;
  readonly onChange: (task: Task) => void;
}

const processes = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of processes) killGroup(child, "SIGKILL");
});

/** A container ends with all that its main process started. */
const killGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // nothing is left of the group
  }
};

const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + ({ SIGKILL: 9, SIGTERM: 15, SIGINT: 2, SIGABRT: 6, SIGSEGV: 11 }[String(signal)] ?? 1);

/** The writable place of a container that the stacks deploy. */
const stateInContainer = "/tmp/openemr-ops";

/** What a container keeps goes with it: none finds the state of an earlier one. */
const withStateOfItsOwn = (variables: Readonly<Record<string, string>>, home: string) =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      value.replaceAll(JSON.stringify(stateInContainer), JSON.stringify(join(home, stateInContainer))),
    ]),
  );

/** Runs tasks of ECS as processes of this machine. */
export const containerHost = (options: ContainerOptions) => {
  const { command, directory, environmentOf, onChange, parallel, replacementsFor, secretsOf } = options;
  const tasks = new Map<string, Task>();
  const provisioning: Task[] = [];
  const stops = new Map<Task, { child: ChildProcess; timer?: NodeJS.Timeout }>();
  let runningCount = 0;
  let closed = false;
  mkdirSync(join(directory, "tasks"), { recursive: true });
  mkdirSync(join(directory, "logs"), { recursive: true });

  const change = (task: Task, status: TaskStatus): void => {
    task.status = status;
    if (!closed) onChange(task);
  };

  const ended = (task: Task, how: { exitCode?: number; stopCode: string; stoppedReason: string }): void => {
    const known = { stopCode: task.stopCode ?? how.stopCode, stoppedReason: task.stoppedReason ?? how.stoppedReason };
    Object.assign(task, how, known, { stoppedAt: new Date() });
    delete task.running;
    stops.delete(task);
    change(task, "STOPPED");
  };

  const launch = async (task: Task): Promise<void> => {
    const definition = task.definition.containers.find(({ name }) => name === task.container);
    const id = task.arn.split("/").at(-1) ?? "";
    const home = join(directory, "tasks", id);
    try {
      if (task.refusal) throw new Error(task.refusal);
      if (!definition) throw new Error(`no container named ${task.container}`);
      mkdirSync(join(home, "tmp"), { recursive: true });
      const secrets = await secretsOf(task.definition, definition);
      const said = withStateOfItsOwn({ ...definition.environment, ...secrets, ...task.overrides }, home);
      const own = { ...environmentOf(task), HOME: home, TMPDIR: join(home, "tmp"), ...said };
      const environment = { ...own, ...replacementsFor(own, task.definition.family) };
      const log = openSync(task.logFile, "a", 0o600);
      const [program = process.execPath, ...args] = command;
      const child = spawn(program, args, { cwd: home, env: environment, stdio: ["ignore", log, log], detached: true });
      closeSync(log);
      processes.add(child);
      stops.set(task, { child });
      await new Promise<void>((resolve) => {
        child.once("error", (error) => {
          ended(task, { stopCode: "TaskFailedToStart", stoppedReason: `CannotStartContainerError: ${error.message}` });
          resolve();
        });
        child.once("spawn", () => {
          task.startedAt = new Date();
          task.running = {
            taskArn: task.arn,
            family: task.definition.family,
            pid: child.pid ?? 0,
            environment,
            logFile: task.logFile,
            kill: (signal) => killGroup(child, signal),
          };
          change(task, "RUNNING");
        });
        child.once("exit", (code, signal) => {
          killGroup(child, "SIGKILL");
          processes.delete(child);
          clearTimeout(stops.get(task)?.timer);
          ended(task, {
            exitCode: exitCodeOf(code, signal),
            stopCode: "EssentialContainerExited",
            stoppedReason: "Essential container in task exited",
          });
          resolve();
        });
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      ended(task, { stopCode: "TaskFailedToStart", stoppedReason: `ResourceInitializationError: ${why}` });
    }
  };

  const next = (): void => {
    while (!closed && runningCount < parallel) {
      const task = provisioning.shift();
      if (!task) return;
      if (task.status === "STOPPED") continue;
      runningCount++;
      launch(task).finally(() => {
        runningCount--;
        next();
      });
    }
  };

  /** Accepts a task and starts it as soon as there is room. */
  const run = (
    wanted: Pick<Task, "cluster" | "definition" | "container" | "overrides" | "startedBy" | "refusal">,
    place: { readonly region: string; readonly account: string },
  ): Task => {
    const id = randomBytes(16).toString("hex");
    const cluster = wanted.cluster.split("/").at(-1);
    const task: Task = {
      ...wanted,
      arn: `arn:aws:ecs:${place.region}:${place.account}:task/${cluster}/${id}`,
      createdAt: new Date(),
      logFile: join(directory, "logs", `task-${id}.log`),
      status: "PROVISIONING",
    };
    tasks.set(task.arn, task);
    provisioning.push(task);
    next();
    return task;
  };

  /** Asks the task to end (SIGTERM), insists after the container's stop timeout (SIGKILL). */
  const stop = (task: Task, reason: string): void => {
    if (task.status === "STOPPED") return;
    task.stopCode = "UserInitiated";
    task.stoppedReason = reason;
    const started = stops.get(task);
    if (!started) {
      ended(task, { stopCode: "UserInitiated", stoppedReason: reason });
      return;
    }
    const { stopTimeoutSeconds = 30 } = task.definition.containers.find(({ name }) => name === task.container) ?? {};
    started.child.kill("SIGTERM");
    started.timer ??= setTimeout(() => killGroup(started.child, "SIGKILL"), stopTimeoutSeconds * 1000);
  };

  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all(
      [...stops.values()].map(
        ({ child, timer }) =>
          new Promise<void>((resolve) => {
            clearTimeout(timer);
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once("exit", () => resolve());
            killGroup(child, "SIGKILL");
          }),
      ),
    );
  };

  return { run, stop, close, tasks: tasks as ReadonlyMap<string, Task> };
};

export type ContainerHost = ReturnType<typeof containerHost>;
