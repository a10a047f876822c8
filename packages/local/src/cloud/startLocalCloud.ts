import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startMoto } from "../servers/moto.ts";
import { repositoryRoot, toolDirectories } from "../tools/findTool.ts";
import { describedTask, ecsApi } from "./api/ecs.ts";
import { eventsApi } from "./api/events.ts";
import { lambdaApi, schedulerApi } from "./api/rest.ts";
import { stepFunctionsApi } from "./api/stepFunctions.ts";
import { readAssembly } from "./assembly.ts";
import { containerHost, type RunningTask, type Task } from "./containers.ts";
import { type DeployedFunction, type DeployedTask, deploymentOf } from "./deployment.ts";
import { startEndpoint } from "./endpoint.ts";
import { type Deliver, eventBuses, type SeenEvent } from "./eventBus.ts";
import { type Execution, executionsOf } from "./executions.ts";
import { type Faults, faults as makeFaults } from "./faults.ts";
import { type AsyncOutcome, functionHost } from "./functions.ts";
import { accessControl, type DeniedCall, type Principal, type UnusedGrant } from "./iam/accessControl.ts";
import { fits } from "./iam/policy.ts";
import type { Json } from "./json.ts";
import { createState, motoClient } from "./motoState.ts";
import type { Place } from "./resourceTypes.ts";
import { runnableMachine } from "./stateMachine.ts";
import { findFunction, taskCalls } from "./taskStates.ts";
import { taskTokens } from "./taskTokens.ts";

type Variables = Readonly<Record<string, string>>;

/** What stands in place of some of a program's variables here; the second argument names the function or the family. */
export type Replacements = (environment: Variables, name: string) => Variables;

export interface LocalCloudOptions {
  /** Directory of a synthesised assembly: `manifest.json`, templates, assets. */
  readonly assembly: string;
  /** For bundles, homes of containers and logs. Made when it is not there, never removed. */
  readonly directory: string;
  /** Address of a running moto server; not set, one is started and ended with the cloud. */
  readonly moto?: string;
  /** Not set: those that the assembly was made for, else moto's own. */
  readonly region?: string;
  readonly account?: string;
  /** Heartbeats' seconds in state machines are multiplied by it. */
  readonly heartbeatScale?: number;
  /** So are the seconds between attempts: of states, of asynchronous invocations, of schedules. */
  readonly retryScale?: number;
  /** Where things lie on this machine, for containers: called with the variables that the container would get. */
  readonly taskEnvironment?: Variables | Replacements;
  /** The same for functions. */
  readonly functionEnvironment?: Variables | Replacements;
  /** What a container's process runs; the task program when not set. */
  readonly taskCommand?: readonly string[];
  /** Containers that run at once; twice the processors when not set. The others wait as they wait for Fargate. */
  readonly containers?: number;
}

/** How a schedule's message fared: taken and done, given up by its function, or never taken. */
export type Fired = AsyncOutcome | "undelivered";

/** A message that ended in a queue for what could not be done. */
export interface DeadLetter {
  readonly queue: string;
  readonly body: Json;
  readonly at: Date;
}

export interface LocalCloud extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  readonly region: string;
  readonly account: string;
  readonly moto: string;
  /** Variables of a person who may do everything. */
  environment(): Record<string, string>;
  /** Lets a schedule, `group/name`, come due. Resolves when its function is done with it, retries included. */
  fireSchedule(schedule: string, dueAt: Date): Promise<Fired>;
  schedules(): readonly string[];
  /** Starts a machine by its name or ARN. Returns the execution's ARN. */
  start(machine: string, input?: Json, name?: string): string;
  /** As the console's "Stop execution". */
  stopExecution(arn: string, error?: string, cause?: string): void;
  execution(arn: string): Execution | undefined;
  executions(): readonly Execution[];
  /** @throws {Error} it still runs after `withinMs`, 60 s when not said */
  waitForExecution(arn: string, withinMs?: number): Promise<Execution>;
  /** Resolves once nothing is under way any more: no execution, no container, no delivery. */
  idle(): Promise<void>;
  /** Running processes. */
  tasks(): readonly RunningTask[];
  /** All of them since the start, whatever became of them. */
  allTasks(): readonly Task[];
  readonly faults: Omit<Faults, "strikes">;
  /** Everything that went over the buses. */
  events(): readonly SeenEvent[];
  deniedCalls(): readonly DeniedCall[];
  unusedGrants(): readonly UnusedGrant[];
  /** Of the queues whose name contains the text; all when not said. */
  deadLetters(queue?: string): readonly DeadLetter[];
  /** Makes a secret, or gives it another value. Takes a name, or an ARN whose name is meant. Returns moto's ARN. */
  putSecret(nameOrArn: string, value: string): Promise<string>;
  /** Holds what functions and containers printed, a file each. */
  readonly logs: string;
}

const replaced = (how: Variables | Replacements | undefined, environment: Variables, name: string): Variables =>
  typeof how === "function" ? how(environment, name) : (how ?? {});

/**
 * Runs what a deployment of the assembly would run: state machines as synthesised in an interpreter of others' making,
 * functions' bundles and containers in processes of their own, rules, schedules on demand, and one address that answers
 * for AWS and refuses what roles do not grant. State is kept by moto.
 *
 * @throws {InvalidInputError} the assembly holds a resource, an intrinsic, a state or a pattern that is not understood
 * @throws {ToolMissingError} refused: moto is not installed
 */
export const startLocalCloud = async (options: LocalCloudOptions): Promise<LocalCloud> => {
  const { directory, heartbeatScale = 1, retryScale = 1 } = options;
  const assembly = readAssembly(options.assembly);
  const place: Place = {
    account: options.account ?? assembly.account ?? "123456789012",
    region: options.region ?? assembly.region ?? "us-east-1",
  };
  const deployment = deploymentOf(assembly, place);
  const machines = new Map(
    [...deployment.machines].map(([arn, machine]) => [arn, runnableMachine(machine, retryScale)]),
  );
  mkdirSync(directory, { recursive: true });

  const ownMoto = options.moto === undefined ? await startMoto({ account: place.account }) : undefined;
  const motoUrl = options.moto ?? ownMoto?.url ?? "";
  const moto = motoClient(motoUrl, place.region);
  const access = accessControl(deployment);
  const person = access.credentialsFor({ name: "a person" });
  const faults = makeFaults(deployment.functions.values());
  const tokens = taskTokens();
  const letters: DeadLetter[] = [];
  const underWay = new Set<Promise<unknown>>();
  const later = (work: Promise<unknown>): void => {
    const counted = work.finally(() => underWay.delete(counted));
    underWay.add(counted);
    counted.catch(() => undefined);
  };
  const roleOf = (principal: string, role: string | undefined): Principal => ({
    name: principal,
    ...(role ? { role } : {}),
  });
  const functionPrincipal = (fn: DeployedFunction) => roleOf(`function ${fn.name}`, fn.role);
  const taskPrincipal = (task: DeployedTask) => roleOf(`task ${task.family}`, task.taskRole);

  const sendTo = async (queueArn: string, body: Json, principal: Principal): Promise<void> => {
    const queue = deployment.queues.get(queueArn);
    const calls = [{ action: "sqs:SendMessage", resource: queueArn, context: {} }];
    if (!queue || !calls.every((call) => access.allows(principal, call))) return;
    letters.push({ queue: queue.name, body, at: new Date() });
    await moto.sendMessage(queue.name, JSON.stringify(body));
  };

  const shared = () => ({
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_REGION: place.region,
    AWS_DEFAULT_REGION: place.region,
    AWS_EC2_METADATA_DISABLED: "true",
  });
  const keysOf = (principal: Principal) => {
    const { accessKeyId, secretAccessKey, sessionToken } = access.credentialsFor(principal);
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
  };

  const functions = functionHost({
    directory,
    retryScale,
    parallel: 4,
    processes: 16,
    faultOf: faults.strikes.lambda,
    environmentOf: (fn) => ({
      ...shared(),
      ...keysOf(functionPrincipal(fn)),
      ...replaced(options.functionEnvironment, fn.environment, fn.name),
    }),
    sendTo: (queue, body, fn) => sendTo(queue, body, functionPrincipal(fn)),
  });

  let closing = false;
  const deliver: Deliver = (rule, target, input) => {
    if (closing) return;
    const fn = findFunction(deployment, target.arn);
    const mayCall = deployment.permissions.some(
      ({ function: called, principal, sourceArn }) =>
        called === fn?.arn && principal === "events.amazonaws.com" && (!sourceArn || fits(sourceArn, rule.arn)),
    );
    if (fn && mayCall) return later(functions.invokeLater(fn, input));
    // Without a permission, or to what is no function here, the event is not delivered; a person looks at the queue.
    if (target.deadLetterQueue) later(sendTo(target.deadLetterQueue, input, roleOf(`rule ${rule.name}`, undefined)));
  };
  const buses = eventBuses(deployment, deliver);

  const containers = containerHost({
    directory,
    command: options.taskCommand ?? [process.execPath, join(repositoryRoot, "packages/task/src/main.ts")],
    parallel: options.containers ?? 2 * availableParallelism(),
    environmentOf: (task) => {
      const { accessKeyId } = access.credentialsFor(taskPrincipal(task.definition));
      return {
        PATH: [dirname(process.execPath), ...toolDirectories(process.env)].join(delimiter),
        ...shared(),
        // As Fargate does it: keys are fetched, not given.
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint.url}/local/credentials/${accessKeyId}`,
        ECS_CONTAINER_METADATA_URI_V4: `${endpoint.url}/local/metadata`,
      };
    },
    replacementsFor: (environment, family) => replaced(options.taskEnvironment, environment, family),
    secretsOf: async ({ executionRole, family }, { secrets }) => {
      const values: Record<string, string> = {};
      for (const [name, from] of Object.entries(secrets)) {
        const [arn = "", field] = [from.split(":").slice(0, 7).join(":"), from.split(":")[7]];
        const call = { action: "secretsmanager:GetSecretValue", resource: arn, context: {} };
        if (!access.allows(roleOf(`start of task ${family}`, executionRole), call))
          throw new Error(`unable to pull secrets: access denied to ${arn}`);
        const value = await moto.secretValue(arn);
        values[name] = field ? String(JSON.parse(value)[field]) : value;
      }
      return values;
    },
    onChange: (task) => {
      buses.put({
        bus: "default",
        source: "aws.ecs",
        detailType: "ECS Task State Change",
        resources: [task.arn],
        detail: describedTask(task, (at) => at.toISOString()),
      });
    },
  });

  const executions = executionsOf({
    machines,
    tokens,
    heartbeatScale,
    callTask: taskCalls({ deployment, access, functions, containers, buses, faults }),
    onChange: (execution) => {
      const { arn, error, cause, input, machine, name, output, startedAt, status, stoppedAt } = execution;
      buses.put({
        bus: "default",
        source: "aws.states",
        detailType: "Step Functions Execution Status Change",
        resources: [arn],
        detail: {
          ...{ executionArn: arn, stateMachineArn: machine.arn, name, status, input, output: output ?? null },
          ...{ startDate: startedAt.getTime(), stopDate: stoppedAt?.getTime() ?? null },
          ...{ inputDetails: { included: true }, outputDetails: output === undefined ? null : { included: true } },
          ...{ error: error ?? null, cause: cause ?? null },
        },
      });
    },
  });

  await createState(deployment, moto);
  const endpoint = await startEndpoint({
    place,
    access,
    faults,
    moto: motoUrl,
    services: {
      ecs: ecsApi({ containers, place }),
      events: eventsApi(buses),
      states: stepFunctionsApi({ machines, executions, tokens, faults }),
    },
    rest: { lambda: lambdaApi({ deployment, functions, later }), scheduler: schedulerApi(deployment) },
    forwarded: new Set(["dynamodb", "kms", "logs", "monitoring", "s3", "secretsmanager", "sqs", "sts"]),
    machineOfToken: tokens.machineOf,
    keyOver: (resource) => {
      const [own = resource] = resource.split("/index/");
      return deployment.tables.get(own)?.key ?? deployment.queues.get(own)?.key;
    },
    containerCredentials: (id) => {
      const principal = access.principalOf(id);
      if (!principal) return undefined;
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentialsFor(principal);
      const Expiration = new Date(Date.now() + 6 * 3_600_000).toISOString();
      return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration };
    },
  });

  const fireSchedule = async (key: string, dueAt: Date): Promise<Fired> => {
    const schedule = deployment.schedules.get(key);
    if (!schedule)
      throw new Error(`there is no schedule ${key}; there are ${[...deployment.schedules.keys()].join(", ")}`);
    const { arn, deadLetterQueue, input, retries, role } = schedule.target;
    const principal = roleOf(`schedule ${key}`, role);
    const execution = crypto.randomUUID();
    const message = (attempt: number): Json => {
      const known: Record<string, string> = {
        "scheduled-time": dueAt.toISOString().replace(/\.\d+Z$/, "Z"),
        "schedule-arn": schedule.arn,
        "execution-id": execution,
        "attempt-number": String(attempt),
      };
      return JSON.parse(
        input.replaceAll(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => known[name] ?? whole),
      );
    };
    for (let attempt = 1; attempt <= Math.min(retries, 3) + 1; attempt++) {
      const fn = findFunction(deployment, arn);
      const call = { action: "lambda:InvokeFunction", resource: arn, context: {} };
      const fault = faults.strikes.api("scheduler:Deliver");
      if (fn && !fault && access.allows(principal, call)) {
        const work = functions.invokeLater(fn, message(attempt));
        later(work);
        return work;
      }
      await sleep(1000 * retryScale);
    }
    if (deadLetterQueue) await sendTo(deadLetterQueue, message(retries + 1), principal);
    return "undelivered";
  };

  const machineOf = (name: string) => {
    const machine = machines.get(name) ?? [...machines.values()].find((one) => one.name === name);
    if (machine) return machine;
    throw new Error(
      `there is no state machine ${name}; there are ${[...machines.values()].map((one) => one.name).join(", ")}`,
    );
  };

  const isIdle = (): boolean =>
    underWay.size === 0 &&
    executions.all().every(({ status }) => status !== "RUNNING") &&
    [...containers.tasks.values()].every(({ status }) => status === "STOPPED");

  const close = async (): Promise<void> => {
    closing = true;
    executions.close();
    await containers.close();
    await functions.close();
    await endpoint.close();
    await ownMoto?.stop();
  };

  const { strikes: _, ...ownFaults } = faults;
  return {
    ...place,
    endpoint: endpoint.url,
    moto: motoUrl,
    logs: join(directory, "logs"),
    environment: () => ({
      ...shared(),
      AWS_ACCESS_KEY_ID: person.accessKeyId,
      AWS_SECRET_ACCESS_KEY: person.secretAccessKey,
    }),
    fireSchedule,
    schedules: () => [...deployment.schedules.keys()],
    start: (machine, input = {}, name) => {
      const execution = executions.start(machineOf(machine), { name, input: JSON.stringify(input) });
      if (execution === "ExecutionAlreadyExists") throw new Error(`an execution named ${name} is there already`);
      return execution.arn;
    },
    stopExecution: (arn, error, cause) => void executions.stop(arn, error, cause),
    execution: executions.get,
    executions: executions.all,
    waitForExecution: (arn, withinMs = 60_000) => executions.ended(arn, withinMs),
    idle: async () => {
      while (!isIdle()) await (underWay.size > 0 ? Promise.race([Promise.allSettled(underWay), sleep(50)]) : sleep(20));
    },
    tasks: () => [...containers.tasks.values()].flatMap(({ running }) => running ?? []),
    allTasks: () => [...containers.tasks.values()],
    faults: ownFaults,
    events: buses.seen,
    deniedCalls: access.denied,
    unusedGrants: access.unusedGrants,
    deadLetters: (queue = "") => letters.filter((letter) => letter.queue.includes(queue)),
    putSecret: moto.putSecret,
    [Symbol.asyncDispose]: close,
  };
};
