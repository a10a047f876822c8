import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startMoto } from "@openemr-ops/local/servers/moto";
import { motoAccessKeys } from "@openemr-ops/local/servers/motoAccessKeys";
import type { SendingKey } from "@openemr-ops/local/servers/sesSmtp";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { ecsApi } from "./api/ecs.ts";
import { eventsApi } from "./api/events.ts";
import { type ReadCluster, rdsApi } from "./api/rds.ts";
import { type ClusterMaster, rdsClusterApi } from "./api/rdsCluster.ts";
import { lambdaApi, schedulerApi } from "./api/rest.ts";
import { stepFunctionsApi } from "./api/stepFunctions.ts";
import { readAssembly } from "./assembly.ts";
import { containerHost, type RunningTask, type Task } from "./containers.ts";
import { type DeadLetter, delivery, type Fired } from "./delivery.ts";
import { deploymentOf } from "./deployment.ts";
import { type EcsServiceSettings, ecsServices } from "./ecsServices.ts";
import { startEndpoint } from "./endpoint.ts";
import { eventBuses, type SeenEvent } from "./eventBus.ts";
import { type Execution, executionsOf } from "./executions.ts";
import { type Faults, faults as makeFaults } from "./faults.ts";
import { accessControl, type DeniedCall, type UnusedGrant } from "./iam/accessControl.ts";
import type { Json, JsonObject } from "./json.ts";
import { createState, motoClient } from "./motoState.ts";
import type { Place } from "./resourceTypes.ts";
import { runnableMachine } from "./stateMachine.ts";
import { statusEvents } from "./statusEvents.ts";
import { type Replacements, surroundings } from "./surroundings.ts";
import { taskCalls } from "./taskStates.ts";
import { taskTokens } from "./taskTokens.ts";
import { outputsOf } from "./template.ts";

type Variables = Readonly<Record<string, string>>;

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
  /** So are the seconds of Wait states: with 0.001 a machine that waits 20 minutes waits 1.2 s. */
  readonly waitScale?: number;
  /** Where things lie on this machine, for containers: called with the variables that the container would get. */
  readonly taskEnvironment?: Variables | Replacements;
  /** The same for functions. */
  readonly functionEnvironment?: Variables | Replacements;
  /** What a container's process runs; the task program when not set. */
  readonly taskCommand?: readonly string[];
  /** What RDS exports of a cluster; not set, there is no RDS. */
  readonly readCluster?: ReadCluster;
  /** A cluster of RDS whose master password can be changed; not set, there is none. */
  readonly clusterMaster?: ClusterMaster;
  /** Containers that run at once; twice the processors when not set. The others wait as they wait for Fargate. */
  readonly containers?: number;
}

export interface LocalCloud extends AsyncDisposable {
  /** For `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  readonly region: string;
  readonly account: string;
  readonly moto: string;
  /** Variables of a person who may do everything. */
  environment(): Record<string, string>;
  /** Variables of whoever works under a role of the stacks, such as a notebook. Takes the role's ARN. */
  environmentOf(role: string): Record<string, string>;
  /** What a stack answers to whoever deployed it: the output of this name, of the stack whose name ends so. */
  output(stack: string, name: string): string;
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
  /** All of them since the start, also those that have ended. */
  allTasks(): readonly Task[];
  readonly faults: Omit<Faults, "strikes">;
  /** An event that a service of AWS publishes on the account's own bus. */
  publish(event: { readonly source: string; readonly detailType: string; readonly detail: JsonObject }): void;
  /** Everything that went over the buses. */
  events(): readonly SeenEvent[];
  deniedCalls(): readonly DeniedCall[];
  unusedGrants(): readonly UnusedGrant[];
  /** Of the queues whose name contains the text; all when not said. */
  deadLetters(queue?: string): readonly DeadLetter[];
  /** Makes a secret, empty without a value, or gives it another. Takes a name, or an ARN whose name is meant. Returns moto's ARN. */
  putSecret(nameOrArn: string, value?: string): Promise<string>;
  /** Makes an IAM user with one access key. Returns the key's identifier. */
  putIamUser(name: string): Promise<string>;
  /** The access keys of an IAM user, with their secrets, which no call of AWS gives away. */
  accessKeys(user: string): Promise<readonly SendingKey[]>;
  /** Makes a text of Parameter Store, or gives it another value. */
  putParameter(name: string, value: string): Promise<void>;
  /** The text; undefined where there is none. */
  parameter(name: string): Promise<string | undefined>;
  /** A service of ECS that no stack makes, `cluster/name`, how many tasks it runs, and how its deployments go. */
  putEcsService(service: string, count: number, settings?: EcsServiceSettings): void;
  /** Holds what functions and containers printed, a file each. */
  readonly logs: string;
}

/**
 * Runs what a deployment of the assembly would run: state machines as synthesised in an interpreter of others' making,
 * functions' bundles and containers in processes of their own, rules, schedules on demand, and one address that answers
 * for AWS and refuses what roles do not grant. State is kept by moto.
 *
 * @throws {InvalidInputError} the assembly holds a resource, an intrinsic, a state or a pattern that is not understood
 * @throws {ToolMissingError} refused: moto is not installed
 */
export const startLocalCloud = async (options: LocalCloudOptions): Promise<LocalCloud> => {
  const { directory, heartbeatScale = 1, retryScale = 1, waitScale = 1 } = options;
  const assembly = readAssembly(options.assembly);
  const place: Place = {
    account: options.account ?? assembly.account ?? "123456789012",
    region: options.region ?? assembly.region ?? "us-east-1",
  };
  const deployment = deploymentOf(assembly, place);
  const outputs = outputsOf(assembly, place);
  const machines = new Map(
    [...deployment.machines].map(([arn, machine]) => [arn, runnableMachine(machine, { retryScale, waitScale })]),
  );
  const access = accessControl(deployment);
  const person = access.credentialsFor({ name: "a person" });
  const faults = makeFaults(deployment.functions.values());
  const tokens = taskTokens();
  const services = ecsServices();
  const buses = eventBuses(deployment, (...event) => delivered.deliver(...event));
  const tell = statusEvents(buses.put);
  mkdirSync(directory, { recursive: true });

  await using started = new AsyncDisposableStack();
  const ownMoto = options.moto === undefined ? await startMoto({ account: place.account }) : undefined;
  started.defer(() => ownMoto?.stop());
  const motoUrl = options.moto ?? ownMoto?.url ?? "";
  const moto = motoClient(motoUrl, place.region);
  const around = surroundings({
    access,
    moto,
    region: place.region,
    endpoint: () => endpoint.url,
    taskEnvironment: options.taskEnvironment,
    functionEnvironment: options.functionEnvironment,
  });
  const delivered = delivery({
    deployment,
    access,
    faults,
    moto,
    directory,
    retryScale,
    environmentOf: around.ofFunction,
  });
  const { functions, later, underWay } = delivered;
  const containers = containerHost({
    directory,
    command: options.taskCommand ?? [process.execPath, join(repositoryRoot, "packages/task/src/main.ts")],
    parallel: options.containers ?? 2 * availableParallelism(),
    environmentOf: ({ definition }) => around.ofTask(definition),
    replacementsFor: around.taskReplacements,
    secretsOf: around.secretsOf,
    onChange: tell.task,
  });
  const executions = executionsOf({
    machines,
    tokens,
    heartbeatScale,
    callTask: taskCalls({
      ...{ deployment, access, functions, containers, buses, faults },
      startMachine: (arn, request) => {
        const machine = machines.get(arn);
        return machine ? executions.start(machine, request) : "StateMachineDoesNotExist";
      },
    }),
    onChange: tell.execution,
  });

  await createState(deployment, moto);
  const endpoint = await startEndpoint({
    place,
    access,
    faults,
    moto: motoUrl,
    services: {
      ecs: ecsApi({ containers, place, services }),
      events: eventsApi(buses),
      ...(options.readCluster || options.clusterMaster
        ? {
            rds: {
              ...(options.readCluster ? rdsApi({ access, read: options.readCluster, put: moto.putObject }) : {}),
              ...(options.clusterMaster ? rdsClusterApi(options.clusterMaster) : {}),
            },
          }
        : {}),
      states: stepFunctionsApi({ machines, executions, tokens, faults }),
    },
    rest: { lambda: lambdaApi({ deployment, functions, later }), scheduler: schedulerApi(deployment) },
    forwarded: new Set([
      "dynamodb",
      "iam",
      "kms",
      "logs",
      "monitoring",
      "s3",
      "secretsmanager",
      "ses",
      "sqs",
      "ssm",
      "sts",
    ]),
    userOfKey: moto.userOfKey,
    machineOfToken: tokens.machineOf,
    onMessage: (queue, body) => delivered.feed(queue)?.(body, later),
    keyOver: (resource) => {
      const [own = resource] = resource.split("/index/");
      return deployment.tables.get(own)?.key ?? deployment.queues.get(own)?.key;
    },
    containerCredentials: around.containerCredentials,
  });
  started.defer(endpoint.close);
  started.defer(containers.close);
  started.defer(executions.close);
  started.defer(delivered.close);
  const running = started.move();

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

  const { strikes: _, ...ownFaults } = faults;
  return {
    ...place,
    endpoint: endpoint.url,
    moto: motoUrl,
    logs: join(directory, "logs"),
    environment: () => ({
      ...around.shared(),
      AWS_ACCESS_KEY_ID: person.accessKeyId,
      AWS_SECRET_ACCESS_KEY: person.secretAccessKey,
    }),
    environmentOf: (role) => {
      if (!deployment.roles.has(role)) throw new Error(`no stack has a role ${role}`);
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentialsFor({ name: "a notebook", role });
      return {
        ...around.shared(),
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
      };
    },
    output: (stack, name) => {
      const [, value] = [...outputs].find(([key]) => key.endsWith(`${stack}.${name}`)) ?? [];
      if (value === undefined) throw new Error(`no stack ${stack} has an output ${name}`);
      return value;
    },
    fireSchedule: delivered.fireSchedule,
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
    publish: (event) => void buses.put({ bus: "default", ...event }),
    events: buses.seen,
    deniedCalls: access.denied,
    unusedGrants: access.unusedGrants,
    deadLetters: (queue = "") => delivered.letters().filter((letter) => letter.queue.includes(queue)),
    putSecret: moto.putSecret,
    putIamUser: moto.putIamUser,
    accessKeys: (user) => motoAccessKeys(motoUrl, user)(),
    putParameter: moto.putParameter,
    parameter: moto.parameter,
    putEcsService: services.put,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
