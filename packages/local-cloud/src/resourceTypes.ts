import { createHash } from "node:crypto";
import { type JsonObject, maybeObject, maybeText } from "./json.ts";

/** Where everything lies: goes into every ARN. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A resource of a template before it has a name. `properties` are resolved. */
export interface Resource extends Place {
  readonly logicalId: string;
  readonly stack: string;
  readonly properties: JsonObject;
}

/** What `Ref` and `Fn::GetAtt` answer. */
export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Hexadecimal digits that are always the same for the same text. */
export const digitsOf = (text: string, length = 12): string =>
  createHash("sha256").update(text).digest("hex").slice(0, length);

/** The name that is in the template, or one made of stack and logical identifier as CloudFormation makes them. */
const named = ({ logicalId, stack, properties }: Resource, property: string, longest = 64): string => {
  const given = maybeText(properties[property]);
  if (given !== undefined) return given;
  const made = `${stack}-${logicalId}`;
  return made.length <= longest ? made : `${made.slice(0, longest - 9)}-${digitsOf(made, 8)}`;
};

const arn = ({ account, region }: Place, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;

const physicalId = (prefix: string, resource: Resource): string =>
  `${prefix}-${digitsOf(`${resource.stack}/${resource.logicalId}`, 17)}`;

type Identify = (resource: Resource) => Identity;

/** A type that is only ever named by its own name or not at all. */
const plain =
  (property = "Name"): Identify =>
  (resource) => ({ ref: named(resource, property, 255), attributes: {} });

const byArn =
  (service: string, path: (name: string) => string, property: string): Identify =>
  (resource) => {
    const name = named(resource, property, 255);
    return { ref: name, attributes: { Arn: arn(resource, service, path(name)), Name: name } };
  };

const role: Identify = (resource) => {
  const ref = named(resource, "RoleName");
  return {
    ref,
    attributes: {
      Arn: `arn:aws:iam::${resource.account}:role/${ref}`,
      RoleId: `AROA${digitsOf(ref, 17).toUpperCase()}`,
    },
  };
};

/** Types that something is done with here: run, matched, checked or kept. */
const running: Readonly<Record<string, Identify>> = {
  "AWS::DynamoDB::Table": (resource) => {
    const ref = named(resource, "TableName", 255);
    const own = arn(resource, "dynamodb", `table/${ref}`);
    return { ref, attributes: { Arn: own, StreamArn: `${own}/stream/none` } };
  },
  "AWS::ECS::Cluster": (resource) => {
    const ref = named(resource, "ClusterName", 255);
    return { ref, attributes: { Arn: arn(resource, "ecs", `cluster/${ref}`) } };
  },
  "AWS::ECS::TaskDefinition": (resource) => {
    const own = arn(resource, "ecs", `task-definition/${named(resource, "Family", 255)}:1`);
    return { ref: own, attributes: { TaskDefinitionArn: own } };
  },
  "AWS::Events::EventBus": byArn("events", (name) => `event-bus/${name}`, "Name"),
  "AWS::Events::Rule": (resource) => {
    const name = named(resource, "Name");
    const bus = maybeText(resource.properties.EventBusName);
    const path = bus === undefined || bus === "default" ? name : `${bus.split("/").at(-1)}/${name}`;
    return { ref: path.replace("/", "|"), attributes: { Arn: arn(resource, "events", `rule/${path}`) } };
  },
  "AWS::IAM::ManagedPolicy": (resource) => ({
    ref: `arn:aws:iam::${resource.account}:policy/${named(resource, "ManagedPolicyName", 128)}`,
    attributes: {},
  }),
  "AWS::IAM::Policy": plain("PolicyName"),
  "AWS::IAM::Role": role,
  "AWS::Lambda::EventInvokeConfig": plain(),
  "AWS::Lambda::EventSourceMapping": (resource) => ({ ref: physicalId("feed", resource), attributes: {} }),
  "AWS::Lambda::Function": (resource) => {
    const ref = named(resource, "FunctionName");
    return { ref, attributes: { Arn: arn(resource, "lambda", `function:${ref}`) } };
  },
  "AWS::Lambda::Permission": plain(),
  "AWS::S3::Bucket": (resource) => {
    const ref = named(resource, "BucketName", 63);
    return { ref, attributes: { Arn: `arn:aws:s3:::${ref}` } };
  },
  "AWS::SQS::Queue": (resource) => {
    const made = named(resource, "QueueName", resource.properties.FifoQueue === true ? 75 : 80);
    const name = resource.properties.FifoQueue === true && !made.endsWith(".fifo") ? `${made}.fifo` : made;
    return {
      ref: `https://sqs.${resource.region}.amazonaws.com/${resource.account}/${name}`,
      attributes: { Arn: arn(resource, "sqs", name), QueueName: name },
    };
  },
  "AWS::SQS::QueuePolicy": plain(),
  "AWS::Scheduler::Schedule": (resource) => {
    const name = named(resource, "Name");
    const group = maybeText(resource.properties.GroupName) ?? "default";
    return { ref: name, attributes: { Arn: arn(resource, "scheduler", `schedule/${group}/${name}`) } };
  },
  "AWS::Scheduler::ScheduleGroup": byArn("scheduler", (name) => `schedule-group/${name}`, "Name"),
  "AWS::StepFunctions::StateMachine": (resource) => {
    const name = named(resource, "StateMachineName", 80);
    const own = arn(resource, "states", `stateMachine:${name}`);
    return { ref: own, attributes: { Arn: own, Name: name } };
  },
};

/**
 * Types of which nothing runs here: who may do what to them is seen by their names alone, or AWS's own machinery would do
 * something with them that no program of ours notices. Template tests look at their properties.
 */
const nothingToRun: Readonly<Record<string, Identify>> = {
  "AWS::CDK::Metadata": plain(),
  "AWS::CloudWatch::Alarm": byArn("cloudwatch", (name) => `alarm:${name}`, "AlarmName"),
  "AWS::CloudWatch::CompositeAlarm": byArn("cloudwatch", (name) => `alarm:${name}`, "AlarmName"),
  "AWS::CloudWatch::Dashboard": plain("DashboardName"),
  "AWS::EC2::SecurityGroup": (resource) => {
    const ref = physicalId("sg", resource);
    return { ref, attributes: { GroupId: ref, VpcId: maybeText(resource.properties.VpcId) ?? "" } };
  },
  "AWS::EC2::SecurityGroupEgress": plain(),
  "AWS::EC2::SecurityGroupIngress": plain(),
  "AWS::EC2::VPCEndpoint": (resource) => ({ ref: physicalId("vpce", resource), attributes: {} }),
  "AWS::ECR::Repository": (resource) => {
    const ref = named(resource, "RepositoryName", 255).toLowerCase();
    return {
      ref,
      attributes: {
        Arn: arn(resource, "ecr", `repository/${ref}`),
        RepositoryUri: `${resource.account}.dkr.ecr.${resource.region}.amazonaws.com/${ref}`,
      },
    };
  },
  "AWS::Events::Archive": byArn("events", (name) => `archive/${name}`, "ArchiveName"),
  "AWS::Events::EventBusPolicy": plain("StatementId"),
  "AWS::Glue::Database": plain(),
  "AWS::KMS::Alias": plain("AliasName"),
  "AWS::KMS::Key": (resource) => {
    const digits = digitsOf(`${resource.stack}/${resource.logicalId}`, 32);
    const ref = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return { ref, attributes: { Arn: arn(resource, "kms", `key/${ref}`), KeyId: ref } };
  },
  "AWS::Logs::LogGroup": (resource) => {
    const ref = named(resource, "LogGroupName", 512);
    return { ref, attributes: { Arn: arn(resource, "logs", `log-group:${ref}:*`) } };
  },
  "AWS::Logs::MetricFilter": plain("FilterName"),
  "AWS::Logs::QueryDefinition": plain(),
  "AWS::Logs::ResourcePolicy": plain("PolicyName"),
  "AWS::S3::BucketPolicy": plain(),
  "AWS::SES::ReceiptRule": (resource) => ({
    ref: maybeText(maybeObject(resource.properties.Rule).Name) ?? "",
    attributes: {},
  }),
  "AWS::SNS::Topic": (resource) => {
    const name = named(resource, "TopicName", 256);
    const ref = arn(resource, "sns", name);
    return { ref, attributes: { TopicArn: ref, TopicName: name } };
  },
  "AWS::SNS::Subscription": plain(),
  "AWS::SNS::TopicPolicy": plain(),
  "AWS::XRay::Group": plain("GroupName"),
  // Its function is called by tests, as CloudFormation would call it.
  "Custom::ReceiptRuleSet": (resource) => ({ ref: maybeText(resource.properties.ruleSet) ?? "", attributes: {} }),
};

/** Every resource type that a template may hold. Others are refused. */
export const resourceTypes: Readonly<Record<string, Identify>> = { ...running, ...nothingToRun };
