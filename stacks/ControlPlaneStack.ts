import { partitions } from "@openemr-ops/core/partitions";
import { jobKinds, scheduledKinds, type WorkflowKind, workflowKinds } from "@openemr-ops/events/jobKinds";
import { ArnFormat, Duration, RemovalPolicy, Tags } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { EventBus, Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import type { StackContext } from "sst/constructs";
import { acceptInControlPlane } from "./accepted/controlPlane.ts";
import { alarmTopic } from "./alarmTopic.ts";
import { controlKey } from "./controlKey.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { logRetention, opsFunction } from "./opsFunction.ts";
import { answerTasks } from "./policies/answerTasks.ts";
import { jobItems } from "./policies/jobItems.ts";
import { listJobs } from "./policies/listJobs.ts";
import { publishEvents } from "./policies/publishEvents.ts";
import { startWorkflows } from "./policies/startWorkflows.ts";
import { useKey } from "./policies/useKey.ts";
import { undeliveredQueue } from "./undeliveredQueue.ts";
import { workflowArn } from "./workflowArn.ts";

const colon = ArnFormat.COLON_RESOURCE_NAME;

export type ControlPlane = ReturnType<typeof controlPlane>;

/** Resources that all installations of a stage share: records and locks, the bus, and the functions that use only these. */
export const controlPlane = ({ stack }: StackContext, deployment: Deployment) => {
  const { installations, names, removable, stage } = deployment;
  const removalPolicy = removable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
  const key = controlKey(stack, names.prefix, removalPolicy);

  const table = new Table(stack, "Jobs", {
    tableName: names.jobsTable,
    partitionKey: { name: "pk", type: AttributeType.STRING },
    sortKey: { name: "sk", type: AttributeType.STRING },
    billingMode: BillingMode.PAY_PER_REQUEST,
    encryption: TableEncryption.CUSTOMER_MANAGED,
    encryptionKey: key,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    timeToLiveAttribute: "expiresAt",
    deletionProtection: !removable,
    removalPolicy,
  });
  table.addGlobalSecondaryIndex({
    indexName: "byMoment",
    partitionKey: { name: "pk", type: AttributeType.STRING },
    sortKey: { name: "listKey", type: AttributeType.STRING },
    projectionType: ProjectionType.ALL,
  });

  const bus = new EventBus(stack, "Bus", { eventBusName: names.bus });
  const scheduleGroup = new CfnScheduleGroup(stack, "Schedules", { name: names.scheduleGroup });
  const undeliveredEvents = undeliveredQueue(stack, "UndeliveredEvents", key);
  const undeliveredSchedules = undeliveredQueue(stack, "UndeliveredSchedules", key);
  const alarms = alarmTopic(stack, key, deployment.alarms.email);
  // One log for all workflows: an account's resource policy for such logs has a size limit.
  const workflowLog = new LogGroup(stack, "WorkflowLog", {
    encryptionKey: key,
    retention: logRetention,
    removalPolicy,
  });

  // Of any installation of the stage: a list of all would be larger than a policy from 70 installations on. No name of
  // another stage fits, and the end of a name says which workflow it is.
  const workflows = (kindsOf: (installation: DeployedInstallation) => readonly WorkflowKind[]) => {
    const wanted = new Set(installations.flatMap(kindsOf));
    return workflowKinds.filter((kind) => wanted.has(kind)).map((kind) => workflowArn(stack, names, "*", kind));
  };
  const environment = { OPENEMR_OPS_STAGE: stage };
  const shared = { key, environment, removable };
  // A stack that the configuration no longer names is not deleted, and its schedules go on: these functions know better.
  const knowing = { ...environment, OPENEMR_OPS_INSTALLATIONS: installations.map(({ id }) => id).join(",") };
  const records = [
    jobItems(
      table,
      [
        partitions.records("*"),
        partitions.steps("*"),
        partitions.locks("*"),
        partitions.once("started", "*"),
        partitions.once("ended", "*"),
      ],
      ["GetItem", "PutItem", "UpdateItem"],
    ),
    useKey(stack, key, "dynamodb"),
  ];

  const begin = opsFunction(stack, "Begin", {
    ...shared,
    handler: "functions/job/begin.handler",
    description:
      "First step of every workflow: checks the input, acquires the lock, records the job, publishes its start",
    grants: [...records, publishEvents(bus.eventBusArn, "JobStarted")],
  });
  const finish = opsFunction(stack, "Finish", {
    ...shared,
    handler: "functions/job/finish.handler",
    description: "Last step of a job that succeeded: records the result, releases the lock, publishes the end",
    grants: [...records, publishEvents(bus.eventBusArn, "JobFailed", "JobSucceeded")],
  });
  const fail = opsFunction(stack, "Fail", {
    ...shared,
    handler: "functions/job/fail.handler",
    description: "Last step of a job that failed: records the error, releases the lock, publishes the end",
    grants: [...records, publishEvents(bus.eventBusArn, "JobFailed", "JobSucceeded")],
  });
  const executionEnded = opsFunction(stack, "ExecutionEnded", {
    ...shared,
    handler: "functions/job/executionEnded.handler",
    description: "Closes jobs whose execution ended without reporting",
    grants: [...records, publishEvents(bus.eventBusArn, "JobFailed", "JobSucceeded")],
    undelivered: undeliveredEvents,
  });
  const taskStopped = opsFunction(stack, "TaskStopped", {
    ...shared,
    handler: "functions/job/taskStopped.handler",
    description: "Fails the workflow of a container that stopped without reporting a result",
    grants: [
      answerTasks(
        workflows((installation) => workflowKinds.filter((kind) => installation[jobKinds[kind].section])),
        ["Failure"],
      ),
    ],
    undelivered: undeliveredEvents,
  });
  const start = opsFunction(stack, "Start", {
    ...shared,
    environment: knowing,
    handler: "functions/schedule/start.handler",
    description: "Starts a scheduled job, once for each due time",
    grants: [
      startWorkflows(
        workflows(({ schedules, rotations }) =>
          scheduledKinds.filter((kind) => schedules[kind] || (kind === "redeploy" && rotations?.whenRotated)),
        ),
      ),
    ],
    undelivered: undeliveredSchedules,
  });
  const findOverdue = opsFunction(stack, "FindOverdue", {
    ...shared,
    environment: knowing,
    handler: "functions/schedule/findOverdue.handler",
    description: "Publishes an event for each scheduled job that did not succeed in time",
    grants: [
      jobItems(table, [partitions.once("overdue", "*")], ["GetItem", "UpdateItem"]),
      useKey(stack, key, "dynamodb"),
      listJobs(table, "*"),
      publishEvents(bus.eventBusArn, "JobOverdue"),
    ],
    undelivered: undeliveredSchedules,
  });

  const delivery = { deadLetterQueue: undeliveredEvents, maxEventAge: Duration.hours(24), retryAttempts: 185 };
  new Rule(stack, "ExecutionEndedRule", {
    description: "Executions of this stage's workflows that failed, timed out or were stopped",
    eventPattern: {
      source: ["aws.states"],
      detailType: ["Step Functions Execution Status Change"],
      detail: {
        status: ["FAILED", "TIMED_OUT", "ABORTED"],
        stateMachineArn: [
          {
            prefix: stack.formatArn({
              service: "states",
              resource: "stateMachine",
              resourceName: `${names.prefix}-`,
              arnFormat: colon,
            }),
          },
        ],
      },
    },
    targets: [new LambdaFunction(executionEnded, delivery)],
  });
  new Rule(stack, "TaskStoppedRule", {
    description: "Containers of this stage's workflows that stopped",
    eventPattern: {
      source: ["aws.ecs"],
      detailType: ["ECS Task State Change"],
      detail: {
        lastStatus: ["STOPPED"],
        taskDefinitionArn: [
          {
            prefix: stack.formatArn({
              service: "ecs",
              resource: "task-definition",
              resourceName: `${names.prefix}-`,
            }),
          },
        ],
      },
    },
    targets: [new LambdaFunction(taskStopped, delivery)],
  });

  if (deployment.installations.some(({ rotations }) => rotations?.whenRotated))
    undeliveredEvents.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("events.amazonaws.com")],
        actions: ["sqs:SendMessage"],
        resources: [undeliveredEvents.queueArn],
        conditions: {
          ArnLike: {
            "aws:SourceArn": stack.formatArn({
              service: "events",
              resource: "rule",
              resourceName: `${names.prefix}-*-rotated`,
            }),
          },
        },
      }),
    );

  acceptInControlPlane(stack);
  Tags.of(stack).add("openemr-ops:stage", stage);
  return {
    key,
    table,
    bus,
    scheduleGroup: scheduleGroup.ref,
    undeliveredEvents,
    undeliveredSchedules,
    alarms,
    workflowLog,
    begin,
    finish,
    fail,
    executionEnded,
    taskStopped,
    start,
    findOverdue,
  };
};
