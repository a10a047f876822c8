import type { ContainerHost } from "./containers.ts";
import type { DeployedFunction, DeployedTask, Deployment } from "./deployment.ts";
import type { EventBuses } from "./eventBus.ts";
import type { CallTask } from "./executions.ts";
import type { Faults } from "./faults.ts";
import type { FunctionHost } from "./functions.ts";
import type { AccessControl, Principal } from "./iam/accessControl.ts";
import { callsOf } from "./iam/calls.ts";
import type { CallContext } from "./iam/policy.ts";
import { type Json, type JsonObject, maybeList, maybeObject, maybeText, objectAt } from "./json.ts";
import type { Place } from "./resourceTypes.ts";
import { TaskFailure } from "./taskTokens.ts";

interface Parts {
  readonly deployment: Deployment;
  readonly access: AccessControl;
  readonly functions: FunctionHost;
  readonly containers: ContainerHost;
  readonly buses: EventBuses;
  readonly faults: Faults;
  /** Starts another machine; the reason in the words of Step Functions when it cannot. */
  readonly startMachine: (
    arn: string,
    request: { readonly name?: string | undefined; readonly input: string },
  ) => { readonly arn: string; readonly startedAt: Date } | string;
}

/** The function that a name, an ARN or an ARN with a version means. */
export const findFunction = ({ functions, account, region }: Deployment, name: string): DeployedFunction | undefined =>
  functions.get(
    name.startsWith("arn:")
      ? name.split(":").slice(0, 7).join(":")
      : `arn:aws:lambda:${region}:${account}:function:${name}`,
  );

/** The task definition that a family, a family with a revision or an ARN means. */
export const findTask = ({ tasks }: Deployment, name: string): DeployedTask | undefined =>
  tasks.get((name.split("/").at(-1) ?? name).replace(/:\d+$/, ""));

export const clusterArn = ({ account, region }: Place, name: string): string =>
  name.startsWith("arn:") ? name : `arn:aws:ecs:${region}:${account}:cluster/${name}`;

/**
 * What a task has to be allowed before it runs: whoever starts it passes its roles on, and its role mounts file systems.
 *
 * @returns what is not allowed, in AWS's words
 */
const refusedMount = ({ account, region }: Place, access: AccessControl, task: DeployedTask): string | undefined => {
  const principal = { name: `task ${task.family}`, ...(task.taskRole ? { role: task.taskRole } : {}) };
  const arn = (kind: string, id: string) => `arn:aws:elasticfilesystem:${region}:${account}:${kind}/${id}`;
  for (const { fileSystemId, accessPointId, readOnly } of task.mounts) {
    const context: CallContext = {
      "aws:SecureTransport": "true",
      ...(accessPointId ? { "elasticfilesystem:AccessPointArn": arn("access-point", accessPointId) } : {}),
    };
    for (const right of ["ClientMount", ...(readOnly ? [] : ["ClientWrite"])]) {
      const call = { action: `elasticfilesystem:${right}`, resource: arn("file-system", fileSystemId), context };
      if (!access.allows(principal, call)) return `mounting ${fileSystemId}: access denied (${right})`;
    }
  }
  return undefined;
};

/** Calls what a Task state names, as the machine's role. */
export const taskCalls = (parts: Parts): CallTask => {
  const { deployment, access, functions, containers, buses, faults, startMachine } = parts;
  const place: Place = deployment;

  const demand = (
    principal: Principal,
    action: string,
    resource: string,
    errorName: string,
    context: CallContext = {},
  ) => {
    if (access.allows(principal, { action, resource, context })) return;
    throw new TaskFailure(
      errorName,
      `User: ${principal.role} is not authorized to perform: ${action} on resource: ${resource}`,
    );
  };

  const invoke = async (principal: Principal, parameters: JsonObject): Promise<Json> => {
    const name = maybeText(parameters.FunctionName) ?? "";
    const fn = findFunction(deployment, name);
    demand(principal, "lambda:InvokeFunction", fn?.arn ?? name, "Lambda.AWSLambdaException");
    if (!fn) throw new TaskFailure("Lambda.ResourceNotFoundException", `Function not found: ${name}`);
    const invoked = await functions.invoke(fn, parameters.Payload ?? {});
    if ("error" in invoked) throw new TaskFailure(invoked.error.errorType, JSON.stringify(invoked.error));
    const SdkHttpMetadata = { HttpHeaders: {}, HttpStatusCode: 200 };
    return { ExecutedVersion: "$LATEST", Payload: invoked.payload, SdkHttpMetadata, StatusCode: 200 };
  };

  const runTask = (principal: Principal, parameters: JsonObject): Json => {
    const { Cluster, Overrides, TaskDefinition } = parameters;
    const definition = findTask(deployment, maybeText(TaskDefinition) ?? "");
    const cluster = clusterArn(place, maybeText(Cluster) ?? "default");
    const resource = definition?.arn ?? String(TaskDefinition);
    const denied = "ECS.AccessDeniedException";
    demand(principal, "ecs:RunTask", resource, denied, { "ecs:cluster": cluster });
    if (parameters.PropagateTags !== undefined) {
      const created = `${cluster.replace(":cluster/", ":task/")}/new`;
      demand(principal, "ecs:TagResource", created, denied, { "ecs:CreateAction": "RunTask" });
    }
    if (!definition) throw new TaskFailure("ECS.ClientException", "TaskDefinition not found.");
    for (const role of [definition.taskRole, definition.executionRole])
      if (role) demand(principal, "iam:PassRole", role, denied, { "iam:PassedToService": "ecs-tasks.amazonaws.com" });
    const fault = faults.strikes.runTask();
    if (fault) throw fault;
    const [override, ...others] = maybeList(maybeObject(Overrides).ContainerOverrides).map((one) =>
      objectAt(one, "override"),
    );
    const container = maybeText(override?.Name) ?? definition.containers[0]?.name ?? "";
    if (
      others.length > 0 ||
      override?.Command !== undefined ||
      !definition.containers.some(({ name }) => name === container)
    )
      throw new TaskFailure(
        "ECS.InvalidParameterException",
        "the local cloud overrides one container's environment only",
      );
    const task = containers.run(
      {
        cluster,
        definition,
        container,
        startedBy: "AWS Step Functions",
        refusal: refusedMount(place, access, definition),
        overrides: Object.fromEntries(
          maybeList(override?.Environment).map((pair) => {
            const { Name, Value } = objectAt(pair, "override");
            return [String(Name), String(Value)];
          }),
        ),
      },
      place,
    );
    return { Failures: [], Tasks: [{ TaskArn: task.arn, LastStatus: "PROVISIONING" }] };
  };

  const startExecution = (principal: Principal, { StateMachineArn, Name, Input = {} }: JsonObject): Json => {
    const arn = maybeText(StateMachineArn) ?? "";
    demand(principal, "states:StartExecution", arn, "StepFunctions.AccessDeniedException");
    const name = maybeText(Name);
    if (name !== undefined && name.length > 80)
      throw new TaskFailure("StepFunctions.InvalidNameException", `Invalid Name: '${name}'`);
    const started = startMachine(arn, { name, input: JSON.stringify(Input) });
    if (typeof started === "string") throw new TaskFailure(`StepFunctions.${started}Exception`, `${started}: '${arn}'`);
    return { ExecutionArn: started.arn, StartDate: started.startedAt.getTime() / 1000 };
  };

  const putEvents = (principal: Principal, parameters: JsonObject): Json => {
    const entries = maybeList(parameters.Entries).map((entry) => objectAt(entry, "Entries"));
    const url = new URL("http://local/");
    const request = { service: "events", operation: "PutEvents", method: "POST", url, headers: {}, body: parameters };
    for (const { action, resource, context } of callsOf(request, place))
      demand(principal, action, resource, "Events.AccessDeniedException", context);
    const Entries = entries.map(({ Detail, DetailType, EventBusName, Source }) => ({
      EventId:
        buses.put({
          bus:
            String(EventBusName ?? "default")
              .split("/")
              .at(-1) ?? "",
          source: String(Source),
          detailType: String(DetailType),
          detail: typeof Detail === "string" ? objectAt(JSON.parse(Detail), "Detail") : objectAt(Detail, "Detail"),
        }) ?? "",
    }));
    return { Entries, FailedEntryCount: 0 };
  };

  return async ({ machine }, { integration }, parameters) => {
    const principal = { name: `state machine ${machine.name}`, role: machine.role };
    if (integration === "lambda:invoke") return invoke(principal, parameters);
    if (integration === "ecs:runTask") return runTask(principal, parameters);
    if (integration === "states:startExecution") return startExecution(principal, parameters);
    return putEvents(principal, parameters);
  };
};
