import type { ContainerHost, Task } from "../containers.ts";
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

/** ECS over the tasks that workflows started. Starting one by hand is not part of it. */
export const ecsApi = ({
  containers,
  place,
}: {
  readonly containers: ContainerHost;
  readonly place: Place;
}): Operations => {
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
    ListTasks: (body) => {
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
