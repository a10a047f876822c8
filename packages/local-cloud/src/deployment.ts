import { InvalidInputError } from "@openemr-ops/core/errors";
import type { Assembly } from "./assembly.ts";
import { roleStatements, type Statement, statementsOf } from "./iam/policy.ts";
import {
  type Json,
  type JsonObject,
  listAt,
  maybeList,
  maybeObject,
  maybeText,
  numberOr,
  objectAt,
  oneOrSeveral,
  textAt,
} from "./json.ts";
import type { Place } from "./resourceTypes.ts";
import { type ResolvedResource, resolveTemplates } from "./template.ts";

export interface DeployedRole {
  readonly arn: string;
  readonly name: string;
  readonly statements: readonly Statement[];
}

export interface DeployedFunction {
  readonly name: string;
  readonly arn: string;
  readonly logicalId: string;
  readonly role: string;
  readonly handler: string;
  /** Directory of the bundle. */
  readonly code: string;
  readonly memoryMegabytes: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Where asynchronous invocations go that fail. */
  readonly retries: number;
  readonly deadLetterQueue?: string;
  readonly onFailure?: string;
}

export interface DeployedMachine {
  readonly name: string;
  readonly arn: string;
  readonly role: string;
  readonly definition: JsonObject;
}

export interface DeployedContainer {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Name of the variable to the ARN that it is filled from. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly stopTimeoutSeconds: number;
}

/** An EFS file system that a task mounts under the rights of its role. */
export interface DeployedMount {
  readonly fileSystemId: string;
  readonly accessPointId?: string;
  readonly readOnly: boolean;
}

export interface DeployedTask {
  readonly family: string;
  readonly arn: string;
  readonly taskRole?: string;
  readonly executionRole?: string;
  readonly containers: readonly DeployedContainer[];
  readonly mounts: readonly DeployedMount[];
}

export interface RuleTarget {
  readonly id: string;
  readonly arn: string;
  readonly input?: string;
  readonly inputPath?: string;
  readonly transformer?: JsonObject;
  readonly deadLetterQueue?: string;
  /** Of a queue that keeps an order: whose order. */
  readonly messageGroup?: string;
}

export interface DeployedQueue {
  readonly name: string;
  readonly fifo: boolean;
  readonly key?: string;
  /** After so many seconds a message comes again that was not done. */
  readonly visibilitySeconds: number;
}

/** A queue that feeds a function, one message after the other. */
export interface DeployedFeed {
  readonly queue: string;
  readonly function: string;
}

export interface DeployedRule {
  readonly name: string;
  readonly arn: string;
  /** Name of its bus. */
  readonly bus: string;
  readonly enabled: boolean;
  readonly pattern: JsonObject;
  readonly targets: readonly RuleTarget[];
}

export interface DeployedSchedule {
  readonly group: string;
  readonly name: string;
  readonly arn: string;
  readonly properties: JsonObject;
  readonly target: {
    readonly arn: string;
    readonly role: string;
    readonly input: string;
    readonly retries: number;
    readonly deadLetterQueue?: string;
  };
}

/** Lets a service call a function. */
export interface Permission {
  readonly function: string;
  readonly principal: string;
  readonly sourceArn?: string;
}

/** An assembly as it would be after its deployment. Keyed by ARN unless said otherwise. */
export interface Deployment extends Place {
  readonly roles: ReadonlyMap<string, DeployedRole>;
  readonly functions: ReadonlyMap<string, DeployedFunction>;
  readonly machines: ReadonlyMap<string, DeployedMachine>;
  /** By family. */
  readonly tasks: ReadonlyMap<string, DeployedTask>;
  readonly clusters: readonly string[];
  readonly rules: readonly DeployedRule[];
  /** By `group/name`. */
  readonly schedules: ReadonlyMap<string, DeployedSchedule>;
  readonly permissions: readonly Permission[];
  /** Names. */
  readonly buses: ReadonlySet<string>;
  readonly queues: ReadonlyMap<string, DeployedQueue>;
  /** Names. */
  readonly buckets: readonly string[];
  readonly feeds: readonly DeployedFeed[];
  /** What queues' own policies allow, by queue. */
  readonly queuePolicies: readonly { readonly queue: string; readonly statements: readonly Statement[] }[];
  readonly tables: ReadonlyMap<
    string,
    { readonly name: string; readonly properties: JsonObject; readonly key?: string }
  >;
}

const nameOfArn = (arn: string): string => arn.split(/[:/]/).at(-1) ?? arn;

const textsOf = (value: Json | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(maybeObject(value)).map(([name, item]) => [name, String(item)]));

const optional = <Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } =>
  (value === undefined ? {} : { [name]: value }) as { [key in Name]?: string };

/** The function's ARN without a version, whether a property names it by name, by ARN or by a version of it. */
const functionArn = (place: Place, name: string): string =>
  name.startsWith("arn:")
    ? name.split(":").slice(0, 7).join(":")
    : `arn:aws:lambda:${place.region}:${place.account}:function:${name}`;

const containerOf = (value: Json, where: string): DeployedContainer => {
  const container = objectAt(value, where);
  const pairs = (list: Json | undefined, field: string) =>
    Object.fromEntries(
      maybeList(list).map((pair) => [textAt(maybeObject(pair).Name, where), textAt(maybeObject(pair)[field], where)]),
    );
  return {
    name: textAt(container.Name, where),
    environment: pairs(container.Environment, "Value"),
    secrets: pairs(container.Secrets, "ValueFrom"),
    stopTimeoutSeconds: numberOr(container.StopTimeout, 30),
  };
};

const taskOf = ({ ref, properties, logicalId }: ResolvedResource): DeployedTask => ({
  family: nameOfArn(ref.replace(/:1$/, "")),
  arn: ref,
  ...optional("taskRole", maybeText(properties.TaskRoleArn)),
  ...optional("executionRole", maybeText(properties.ExecutionRoleArn)),
  containers: listAt(properties.ContainerDefinitions, logicalId).map((one) => containerOf(one, logicalId)),
  mounts: maybeList(properties.Volumes).flatMap((volume) => mountOf(maybeObject(volume), properties)),
});

const mountOf = ({ Name, EFSVolumeConfiguration }: JsonObject, properties: JsonObject): DeployedMount[] => {
  const { FilesystemId, AuthorizationConfig } = maybeObject(EFSVolumeConfiguration);
  const { IAM, AccessPointId } = maybeObject(AuthorizationConfig);
  if (FilesystemId === undefined || IAM !== "ENABLED") return [];
  const points = maybeList(properties.ContainerDefinitions).flatMap((one) => maybeList(maybeObject(one).MountPoints));
  const own = points.map(maybeObject).filter(({ SourceVolume }) => SourceVolume === Name);
  return [
    {
      fileSystemId: String(FilesystemId),
      readOnly: own.every(({ ReadOnly }) => ReadOnly === true),
      ...optional("accessPointId", maybeText(AccessPointId)),
    },
  ];
};

const targetOf = (value: Json): RuleTarget => {
  const { Id, Arn, Input, InputPath, InputTransformer, DeadLetterConfig, SqsParameters, ...rest } = objectAt(
    value,
    "rule target",
  );
  const unknown = Object.keys(rest).find((name) => !["RetryPolicy", "RoleArn"].includes(name));
  if (unknown)
    throw new InvalidInputError([
      { path: `rule target ${String(Id)}`, message: `says ${unknown}, which is not known here` },
    ]);
  return {
    id: textAt(Id, "rule target"),
    arn: textAt(Arn, "rule target"),
    ...optional("input", maybeText(Input)),
    ...optional("inputPath", maybeText(InputPath)),
    ...(InputTransformer === undefined ? {} : { transformer: maybeObject(InputTransformer) }),
    ...optional("deadLetterQueue", maybeText(maybeObject(DeadLetterConfig).Arn)),
    ...optional("messageGroup", maybeText(maybeObject(SqsParameters).MessageGroupId)),
  };
};

const feedOf = (place: Place, { logicalId, properties }: ResolvedResource): DeployedFeed => {
  const { EventSourceArn, FunctionName, BatchSize, Enabled: _, Tags: __, ...rest } = properties;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined || BatchSize !== 1)
    throw new InvalidInputError([
      { path: logicalId, message: `says ${unknown ?? "BatchSize"}; expected a queue that feeds one message at a time` },
    ]);
  return {
    queue: textAt(EventSourceArn, logicalId),
    function: functionArn(place, textAt(FunctionName, logicalId)),
  };
};

const ruleOf = ({ attributes, logicalId, properties }: ResolvedResource): DeployedRule => {
  if (properties.EventPattern === undefined)
    throw new InvalidInputError([
      { path: logicalId, message: "is a rule without a pattern; schedules belong to Scheduler" },
    ]);
  const arn = attributes.Arn ?? "";
  return {
    name: nameOfArn(arn),
    arn,
    bus: nameOfArn(maybeText(properties.EventBusName) ?? "default"),
    enabled: properties.State !== "DISABLED",
    pattern: objectAt(properties.EventPattern, logicalId),
    targets: maybeList(properties.Targets).map(targetOf),
  };
};

const scheduleOf = ({ ref, attributes, logicalId, properties }: ResolvedResource): DeployedSchedule => {
  const target = objectAt(properties.Target, logicalId);
  return {
    group: maybeText(properties.GroupName) ?? "default",
    name: ref,
    arn: attributes.Arn ?? "",
    properties,
    target: {
      arn: textAt(target.Arn, `${logicalId}.Target`),
      role: textAt(target.RoleArn, `${logicalId}.Target`),
      input: maybeText(target.Input) ?? "{}",
      retries: numberOr(maybeObject(target.RetryPolicy).MaximumRetryAttempts, 185),
      ...optional("deadLetterQueue", maybeText(maybeObject(target.DeadLetterConfig).Arn)),
    },
  };
};

const rolesOf = (resources: readonly ResolvedResource[]): ReadonlyMap<string, DeployedRole> => {
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const managed = new Map(
    of("AWS::IAM::ManagedPolicy").map(({ ref, logicalId, properties }) => [
      ref,
      statementsOf(properties.PolicyDocument, logicalId),
    ]),
  );
  const attached = new Map<string, Statement[]>();
  for (const { type, logicalId, properties } of resources) {
    if (type !== "AWS::IAM::Policy" && type !== "AWS::IAM::ManagedPolicy") continue;
    for (const role of oneOrSeveral(properties.Roles))
      attached.set(role, [...(attached.get(role) ?? []), ...statementsOf(properties.PolicyDocument, logicalId)]);
  }
  return new Map(
    of("AWS::IAM::Role").map(({ ref, attributes, logicalId, properties }) => [
      attributes.Arn ?? "",
      {
        arn: attributes.Arn ?? "",
        name: ref,
        statements: [...roleStatements(properties, logicalId, managed), ...(attached.get(ref) ?? [])],
      },
    ]),
  );
};

const functionOf = (
  { ref, attributes, logicalId, properties }: ResolvedResource,
  { assets, invokeConfigs }: { assets: ReadonlyMap<string, string>; invokeConfigs: ReadonlyMap<string, JsonObject> },
): DeployedFunction => {
  const key = maybeText(maybeObject(properties.Code).S3Key);
  const code = key === undefined ? undefined : assets.get(key);
  if (code === undefined)
    throw new InvalidInputError([{ path: logicalId, message: "is a function whose code is no asset of the assembly" }]);
  const config = invokeConfigs.get(ref) ?? {};
  return {
    name: ref,
    arn: attributes.Arn ?? "",
    logicalId,
    role: textAt(properties.Role, logicalId),
    handler: textAt(properties.Handler, logicalId),
    code,
    memoryMegabytes: numberOr(properties.MemorySize, 128),
    timeoutSeconds: numberOr(properties.Timeout, 3),
    environment: textsOf(maybeObject(properties.Environment).Variables),
    retries: numberOr(config.MaximumRetryAttempts, 2),
    ...optional("deadLetterQueue", maybeText(maybeObject(properties.DeadLetterConfig).TargetArn)),
    ...optional("onFailure", maybeText(maybeObject(maybeObject(config.DestinationConfig).OnFailure).Destination)),
  };
};

const machineOf = ({ ref, attributes, logicalId, properties }: ResolvedResource): DeployedMachine => {
  if (properties.DefinitionSubstitutions !== undefined || properties.DefinitionString === undefined)
    throw new InvalidInputError([{ path: logicalId, message: "expected a state machine with its definition as text" }]);
  return {
    name: attributes.Name ?? "",
    arn: ref,
    role: textAt(properties.RoleArn, logicalId),
    definition: objectAt(JSON.parse(textAt(properties.DefinitionString, logicalId)), logicalId),
  };
};

/** @throws {InvalidInputError} the assembly holds something that the local cloud does not understand */
export const deploymentOf = (assembly: Assembly, place: Place): Deployment => {
  const resources = resolveTemplates(assembly, place);
  const of = (type: string) => resources.filter((resource) => resource.type === type);
  const byArn = <Item extends { readonly arn: string }>(items: readonly Item[]) =>
    new Map(items.map((item) => [item.arn, item]));
  const invokeConfigs = new Map(
    of("AWS::Lambda::EventInvokeConfig").map(({ properties }) => [
      nameOfArn(textAt(properties.FunctionName, "EventInvokeConfig")),
      properties,
    ]),
  );
  return {
    ...place,
    roles: rolesOf(resources),
    functions: byArn(
      of("AWS::Lambda::Function").map((one) => functionOf(one, { assets: assembly.assets, invokeConfigs })),
    ),
    machines: byArn(of("AWS::StepFunctions::StateMachine").map(machineOf)),
    tasks: new Map(
      of("AWS::ECS::TaskDefinition")
        .map(taskOf)
        .map((task) => [task.family, task]),
    ),
    clusters: of("AWS::ECS::Cluster").map(({ attributes }) => attributes.Arn ?? ""),
    rules: of("AWS::Events::Rule").map(ruleOf),
    schedules: new Map(
      of("AWS::Scheduler::Schedule")
        .map(scheduleOf)
        .map((schedule) => [`${schedule.group}/${schedule.name}`, schedule]),
    ),
    permissions: of("AWS::Lambda::Permission").map(({ properties, logicalId }) => ({
      function: functionArn(place, textAt(properties.FunctionName, logicalId)),
      principal: textAt(properties.Principal, logicalId),
      ...optional("sourceArn", maybeText(properties.SourceArn)),
    })),
    buses: new Set(["default", ...of("AWS::Events::EventBus").map(({ ref }) => ref)]),
    queues: new Map(
      of("AWS::SQS::Queue").map(({ attributes, properties }) => [
        attributes.Arn ?? "",
        {
          name: attributes.QueueName ?? "",
          fifo: properties.FifoQueue === true,
          visibilitySeconds: numberOr(properties.VisibilityTimeout, 30),
          ...optional("key", maybeText(properties.KmsMasterKeyId)),
        },
      ]),
    ),
    buckets: of("AWS::S3::Bucket").map(({ ref }) => ref),
    feeds: of("AWS::Lambda::EventSourceMapping").map((one) => feedOf(place, one)),
    queuePolicies: of("AWS::SQS::QueuePolicy").flatMap(({ logicalId, properties }) =>
      oneOrSeveral(properties.Queues).map((url) => ({
        queue: `arn:aws:sqs:${place.region}:${place.account}:${nameOfArn(url)}`,
        statements: statementsOf(properties.PolicyDocument, logicalId),
      })),
    ),
    tables: new Map(
      of("AWS::DynamoDB::Table").map(({ ref, attributes, properties }) => [
        attributes.Arn ?? "",
        {
          name: ref,
          properties,
          ...optional("key", maybeText(maybeObject(properties.SSESpecification).KMSMasterKeyId)),
        },
      ]),
    ),
  };
};
