import type { ContainerHost, Task } from "../containers.ts";
import type { EcsServices } from "../ecsServices.ts";
import { type Json, type JsonObject, maybeList, maybeText } from "../json.ts";
import type { Place } from "../resourceTypes.ts";
import { clusterArn } from "../taskStates.ts";
import { type Operations, ServiceError, seconds } from "./operation.ts";

const stopping = (task: Task): string => (task.stoppedReason === undefined ? "RUNNING" : "STOPPED");

/** A task as DescribeTasks and "ECS Task State Change" describe it; only the format of moments differs. */
export const describedTask = (task: Task, moment: (at: Date) => Json): JsonObject => {
  const at = (name: string, date: Date | undefined): JsonObject => (date ? { [name]: moment(date) } : {});
  const environment = Object.entries(task.overrides).map(([name, value]) => ({ name, value }));
  return {
    taskArn: task.arn,
    clusterArn: task.cluster,
    taskDefinitionArn: task.definition.arn,
    group: `family:${task.definition.family}`,
    launchType: "FARGATE",
    startedBy: task.startedBy,
    lastStatus: task.status,
    desiredStatus: stopping(task),
    containers: [
      {
        name: task.container,
        taskArn: task.arn,
        lastStatus: task.status,
        ...(task.exitCode === undefined ? {} : { exitCode: task.exitCode }),
      },
    ],
    overrides: { containerOverrides: [{ name: task.container, environment }] },
    ...at("createdAt", task.createdAt),
    ...at("startedAt", task.startedAt),
    ...at("stoppedAt", task.stoppedAt),
    ...(task.stopCode ? { stopCode: task.stopCode } : {}),
    ...(task.stoppedReason ? { stoppedReason: task.stoppedReason } : {}),
  };
};

const describedService = (name: Json, { count, deployments, events }: NonNullable<ReturnType<EcsServices["look"]>>) => {
  const sum = (field: "runningCount" | "pendingCount") => deployments.reduce((total, one) => total + one[field], 0);
  return {
    serviceName: name,
    status: "ACTIVE",
    desiredCount: count,
    runningCount: sum("runningCount"),
    pendingCount: sum("pendingCount"),
    deployments: deployments.map((one) => ({ ...one })),
    events: events.slice(0, 100).map(({ at, message }) => ({ createdAt: seconds(at), message })),
  };
};

/**
 * ECS over the tasks that workflows started. Starting one by hand is not part of it.
 *
 * @param services by `cluster/service`
 */
export const ecsApi = ({
  containers,
  place,
  services,
}: {
  readonly containers: ContainerHost;
  readonly place: Place;
  readonly services: EcsServices;
}): Operations => {
  const last = (name: string) => name.split("/").at(-1) ?? name;
  const serviceKey = (cluster: Json | undefined, service: Json | undefined): string =>
    `${last(maybeText(cluster) ?? "default")}/${last(maybeText(service) ?? "")}`;
  const find = (name: string): Task | undefined =>
    containers.tasks.get(name) ?? [...containers.tasks.values()].find(({ arn }) => arn.endsWith(`/${name}`));
  return {
    DescribeTasks: (body) => {
      const names = maybeList(body.tasks).map(String);
      const found = names.flatMap((name) => find(name) ?? []);
      const missing = names.filter((name) => !find(name));
      return {
        tasks: found.map((task) => describedTask(task, seconds)),
        failures: missing.map((arn) => ({ arn, reason: "MISSING" })),
      };
    },
    DescribeServices: (body) => {
      const names = maybeList(body.services).map((name) => ({
        name,
        service: services.look(serviceKey(body.cluster, name)),
      }));
      return {
        services: names.flatMap(({ name, service }) => {
          if (!service) return [];
          const family = serviceKey(body.cluster, name).replace("/", "--");
          const taskDefinition = `arn:aws:ecs:${place.region}:${place.account}:task-definition/${family}:1`;
          return [{ ...describedService(name, service), taskDefinition }];
        }),
        failures: names.flatMap(({ name, service }) => (service ? [] : [{ arn: name, reason: "MISSING" }])),
      };
    },
    DescribeTaskDefinition: (body) => {
      const family = last(maybeText(body.taskDefinition) ?? "").replace(/:\d+$/, "");
      const secrets = services.secrets(family.replace("--", "/"));
      if (!secrets) throw new ServiceError("ClientException", "Unable to describe task definition.");
      const given = Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom }));
      return {
        taskDefinition: {
          family,
          containerDefinitions: [{ name: "openemr", environment: [], secrets: given }],
        },
      };
    },
    UpdateService: (body) => {
      if (body.forceNewDeployment !== true || body.desiredCount !== undefined || body.taskDefinition !== undefined)
        throw new ServiceError("InvalidParameterException", "Here a service can only be deployed anew, as it is.");
      const deployments = services.deploy(serviceKey(body.cluster, body.service));
      if (!deployments) throw new ServiceError("ServiceNotFoundException", "Service not found.");
      return {
        service: {
          serviceName: body.service ?? "",
          status: "ACTIVE",
          deployments: deployments.map((one) => ({ ...one })),
        },
      };
    },
    ListTasks: (body) => {
      if (body.serviceName !== undefined) {
        const key = serviceKey(body.cluster, body.serviceName);
        const count = services.count(key);
        if (count === undefined) throw new ServiceError("ServiceNotFoundException", "Service not found.");
        const { region, account } = place;
        const arn = (index: number) => `arn:aws:ecs:${region}:${account}:task/${key}-${index}`;
        return { taskArns: Array.from({ length: count }, (_, index) => arn(index)) };
      }
      const cluster = clusterArn(place, maybeText(body.cluster) ?? "default");
      const status = maybeText(body.desiredStatus) ?? "RUNNING";
      const family = maybeText(body.family);
      const listed = [...containers.tasks.values()].filter(
        (task) =>
          task.cluster === cluster &&
          stopping(task) === status &&
          (family === undefined || task.definition.family === family),
      );
      return { taskArns: listed.map(({ arn }) => arn) };
    },
    StopTask: (body) => {
      const task = find(maybeText(body.task) ?? "");
      if (!task) throw new ServiceError("InvalidParameterException", "The referenced task was not found.");
      containers.stop(task, maybeText(body.reason) ?? "Task stopped by user");
      return { task: describedTask(task, seconds) };
    },
  };
};
