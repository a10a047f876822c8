import type { Json, JsonObject } from "../json.ts";
import { isObject, maybeList, maybeObject, maybeText } from "../json.ts";
import type { Place } from "../resourceTypes.ts";
import type { CallContext } from "./policy.ts";

/** One thing that a request asks to be allowed. */
export interface Call {
  /** As policies name it, such as `dynamodb:PutItem`. */
  readonly action: string;
  /** An ARN, or `*` where AWS knows no resource for the action. */
  readonly resource: string;
  readonly context: CallContext;
}

/** A request as it arrived: by name of its operation, or by method and path for services that speak REST. */
export interface ApiRequest {
  /** The signing name: `dynamodb`, `states`, `s3`. */
  readonly service: string;
  /** Last part of `X-Amz-Target`, or the query's `Action`; empty for REST. */
  readonly operation: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
  /** What a function is invoked with: any JSON; `null` for none. */
  readonly payload?: Json;
}

type Resources = (body: JsonObject, place: Place) => readonly string[];

const arnOr = (value: string | undefined, make: (name: string) => string): string =>
  value === undefined ? "*" : value.startsWith("arn:") ? value : make(value);

const tableArn = (place: Place, name: string | undefined): string =>
  arnOr(name, (table) => `arn:aws:dynamodb:${place.region}:${place.account}:table/${table}`);

/** The value of the partition key: an item's, which our tables call `pk`, or the one that a query asks for. */
const leadingKeys = ({ Key, Item, KeyConditionExpression, ExpressionAttributeValues }: JsonObject): CallContext => {
  const [, placeholder = ""] = /=\s*(:\w+)/.exec(maybeText(KeyConditionExpression) ?? "") ?? [];
  const value =
    maybeText(maybeObject(maybeObject(Key ?? Item).pk).S) ??
    maybeText(maybeObject(maybeObject(ExpressionAttributeValues)[placeholder]).S);
  return value === undefined ? {} : { "dynamodb:LeadingKeys": [value] };
};

const dynamoDb = (operation: string, body: JsonObject, place: Place): readonly Call[] => {
  const call = (action: string, part: JsonObject, index?: string): Call => ({
    action: `dynamodb:${action}`,
    resource: tableArn(place, maybeText(part.TableName)) + (index ? `/index/${index}` : ""),
    context: leadingKeys(part),
  });
  const parts = maybeList(body.TransactItems).flatMap((item) => Object.entries(maybeObject(item)));
  const actions: Readonly<Record<string, string>> = {
    ConditionCheck: "ConditionCheckItem",
    Delete: "DeleteItem",
    Get: "GetItem",
    Put: "PutItem",
    Update: "UpdateItem",
  };
  if (parts.length > 0) return parts.map(([name, part]) => call(actions[name] ?? name, maybeObject(part)));
  if (isObject(body.RequestItems))
    return Object.keys(body.RequestItems).map((table) => call(operation, { TableName: table }));
  return [call(operation, body, maybeText(body.IndexName))];
};

const queueArn = (place: Place, body: JsonObject): string => {
  const name = maybeText(body.QueueUrl)?.split("/").at(-1) ?? maybeText(body.QueueName);
  return name === undefined ? "*" : `arn:aws:sqs:${place.region}:${place.account}:${name}`;
};

const secretArn = ({ region, account }: Place, id: string | undefined): string =>
  arnOr(id, (name) => `arn:aws:secretsmanager:${region}:${account}:secret:${name}-??????`);

const keyArn = ({ region, account }: Place, id: string | undefined): string =>
  arnOr(id, (key) => `arn:aws:kms:${region}:${account}:${key.startsWith("alias/") ? key : `key/${key}`}`);

const putEvents = (body: JsonObject, { region, account }: Place): readonly Call[] =>
  maybeList(body.Entries).map((entry) => {
    const { EventBusName, Source, DetailType } = maybeObject(entry);
    const name = maybeText(EventBusName) ?? "default";
    return {
      action: "events:PutEvents",
      resource: arnOr(name, (bus) => `arn:aws:events:${region}:${account}:event-bus/${bus}`),
      context: { "events:source": maybeText(Source) ?? "", "events:detail-type": maybeText(DetailType) ?? "" },
    };
  });

/** By signing name: what a JSON request's body says it is about. */
const resourcesOf: Readonly<Record<string, Resources>> = {
  ecs: (body, { region, account }) => {
    const definition = maybeText(body.taskDefinition);
    if (definition !== undefined)
      return [arnOr(definition, (name) => `arn:aws:ecs:${region}:${account}:task-definition/${name}`)];
    const cluster = maybeText(body.cluster)?.split("/").at(-1) ?? "default";
    const services = [body.service, ...maybeList(body.services)].flatMap((service) => maybeText(service) ?? []);
    if (services.length > 0)
      return services.map((service) =>
        arnOr(service, (name) => `arn:aws:ecs:${region}:${account}:service/${cluster}/${name}`),
      );
    const tasks = [body.task, ...maybeList(body.tasks)].flatMap((task) => maybeText(task) ?? []);
    return tasks.length > 0 ? tasks : ["*"];
  },
  iam: ({ UserName }, { account }) => [`arn:aws:iam::${account}:user/${maybeText(UserName) ?? "*"}`],
  kms: (body, place) => [keyArn(place, maybeText(body.KeyId))],
  logs: (body, { region, account }) => [
    `arn:aws:logs:${region}:${account}:log-group:${maybeText(body.logGroupName) ?? "*"}`,
  ],
  rds: ({ DBClusterIdentifier }, { account, region }) => [
    arnOr(maybeText(DBClusterIdentifier), (name) => `arn:aws:rds:${region}:${account}:cluster:${name}`),
  ],
  secretsmanager: (body, place) => [secretArn(place, maybeText(body.SecretId))],
  sqs: (body, place) => [queueArn(place, body)],
  ssm: ({ Name }, { account, region }) => [
    arnOr(maybeText(Name), (name) => `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, "")}`),
  ],
  states: (body) => [maybeText(body.executionArn) ?? maybeText(body.stateMachineArn) ?? "*"],
};

const s3 = ({ method, url, headers }: ApiRequest, bodyText: string): readonly Call[] => {
  const [bucket = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const key = rest.join("/");
  const has = (name: string) => url.searchParams.has(name);
  const onBucket = (action: string, context: CallContext = {}): Call[] => [
    { action: `s3:${action}`, resource: `arn:aws:s3:::${bucket}`, context },
  ];
  const prefix = url.searchParams.get("prefix");
  const listed: CallContext = prefix === null ? {} : { "s3:prefix": prefix };
  const onObject = (action: string, of = key): Call => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${bucket}/${of}`,
    context: {},
  });
  if (bucket === "") return [{ action: "s3:ListAllMyBuckets", resource: "*", context: {} }];
  if (key === "") {
    const about = {
      location: "BucketLocation",
      versioning: "BucketVersioning",
      "object-lock": "BucketObjectLockConfiguration",
    };
    for (const [name, action] of Object.entries(about))
      if (has(name)) return onBucket(`${method === "PUT" ? "Put" : "Get"}${action}`);
    if (has("uploads")) return onBucket("ListBucketMultipartUploads");
    if (has("versions")) return onBucket("ListBucketVersions", listed);
    if (method === "POST" && has("delete"))
      return [...bodyText.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name = ""]) => onObject("DeleteObject", name));
    if (method === "PUT") return onBucket("CreateBucket");
    if (method === "DELETE") return onBucket("DeleteBucket");
    return onBucket("ListBucket", listed);
  }
  if (method === "GET" || method === "HEAD")
    return [
      onObject(has("uploadId") ? "ListMultipartUploadParts" : has("retention") ? "GetObjectRetention" : "GetObject"),
    ];
  if (method === "DELETE") return [onObject(has("uploadId") ? "AbortMultipartUpload" : "DeleteObject")];
  const copied = headers["x-amz-copy-source"];
  const source = typeof copied === "string" ? decodeURIComponent(copied).replace(/^\//, "") : undefined;
  return [
    onObject(has("retention") ? "PutObjectRetention" : "PutObject"),
    ...(source === undefined ? [] : [{ action: "s3:GetObject", resource: `arn:aws:s3:::${source}`, context: {} }]),
  ];
};

/** Who starts an export passes a role to RDS and lets it use a key. */
const startExportTask = ({ IamRoleArn, KmsKeyId }: JsonObject): readonly Call[] => [
  { action: "rds:StartExportTask", resource: "*", context: {} },
  {
    action: "iam:PassRole",
    resource: maybeText(IamRoleArn) ?? "*",
    context: { "iam:PassedToService": "export.rds.amazonaws.com" },
  },
  ...["kms:CreateGrant", "kms:DescribeKey"].map((action) => ({
    action,
    resource: maybeText(KmsKeyId) ?? "*",
    context: {},
  })),
];

const lambda = ({ method, url }: ApiRequest, { region, account }: Place): readonly Call[] => {
  const [, name = ""] = /\/functions\/([^/]+)/.exec(decodeURIComponent(url.pathname)) ?? [];
  return [
    {
      action:
        method === "POST" && url.pathname.endsWith("/invocations") ? "lambda:InvokeFunction" : "lambda:GetFunction",
      resource: arnOr(name, (plain) => `arn:aws:lambda:${region}:${account}:function:${plain}`),
      context: {},
    },
  ];
};

const scheduler = ({ url }: ApiRequest, { region, account }: Place): readonly Call[] => {
  const name = decodeURIComponent(url.pathname.split("/")[2] ?? "");
  const group = url.searchParams.get(name ? "groupName" : "ScheduleGroup") ?? (name ? "default" : "*");
  return [
    {
      action: name ? "scheduler:GetSchedule" : "scheduler:ListSchedules",
      resource: `arn:aws:scheduler:${region}:${account}:schedule/${group}/${name || "*"}`,
      context: {},
    },
  ];
};

/** A raw message is sent from an identity: the address, or else its domain; here domains are verified. */
const sendRawEmail = ({ FromEmailAddress }: JsonObject, { region, account }: Place): Call => {
  const from = maybeText(FromEmailAddress) ?? "";
  return {
    action: "ses:SendRawEmail",
    resource: `arn:aws:ses:${region}:${account}:identity/${from.slice(from.lastIndexOf("@") + 1)}`,
    context: { "ses:FromAddress": from },
  };
};

/** What a customer's key over a table or a queue is asked, on the caller's behalf. */
const keyUse: Readonly<Record<string, readonly string[]>> = {
  dynamodb: ["kms:Decrypt"],
  sqs: ["kms:GenerateDataKey", "kms:Decrypt"],
};

/** What else the call needs where a customer's key lies over what it works on. */
export const keyCallsOf = (service: string, key: string, { region, account }: Place): readonly Call[] =>
  (keyUse[service] ?? []).map((action) => ({
    action,
    resource: key.startsWith("arn:") ? key : `arn:aws:kms:${region}:${account}:key/${key}`,
    context: { "kms:ViaService": `${service}.${region}.amazonaws.com` },
  }));

/** Everything that a request has to be allowed for AWS to carry it out. */
export const callsOf = (request: ApiRequest, place: Place, bodyText = ""): readonly Call[] => {
  const { service, operation, body } = request;
  if (service === "s3") return s3(request, bodyText);
  if (service === "lambda") return lambda(request, place);
  if (service === "scheduler") return scheduler(request, place);
  if (service === "ses" && operation === "SendRawEmail") return [sendRawEmail(body, place)];
  if (service === "dynamodb") return dynamoDb(operation, body, place);
  if (service === "events" && operation === "PutEvents") return putEvents(body, place);
  if (service === "sts" && operation === "GetCallerIdentity") return []; // IAM lets everybody ask who they are
  if (service === "rds" && operation === "StartExportTask") return startExportTask(body);
  if (service === "ecs" && operation === "DescribeTaskDefinition")
    return [{ action: "ecs:DescribeTaskDefinition", resource: "*", context: {} }];
  const prefix = service === "monitoring" ? "cloudwatch" : service;
  const cluster = service === "ecs" ? maybeText(body.cluster) : undefined;
  const context: CallContext = cluster
    ? { "ecs:cluster": arnOr(cluster, (name) => `arn:aws:ecs:${place.region}:${place.account}:cluster/${name}`) }
    : {};
  return (resourcesOf[service]?.(body, place) ?? ["*"]).map((resource) => ({
    action: `${prefix}:${operation}`,
    resource,
    context,
  }));
};
