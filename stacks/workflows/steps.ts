import type { TaskNetwork } from "@openemr-ops/core/config/settings";
import { retryableErrorNames } from "@openemr-ops/core/errors";
import type { JobKind, WorkflowKind } from "@openemr-ops/events/jobKinds";
import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CustomState, JsonPath, Pass, TaskInput, type TaskStateBase, Timeout } from "aws-cdk-lib/aws-stepfunctions";
import { LambdaInvoke } from "aws-cdk-lib/aws-stepfunctions-tasks";
import type { Construct } from "constructs";
import { containerName } from "../taskDefinition.ts";

/** The constant values that the states of one workflow use. */
export interface Workflow {
  readonly kind: WorkflowKind;
  readonly installation: string;
  readonly begin: IFunction;
  readonly finish: IFunction;
  readonly fail: IFunction;
}

/** Where the containers of an installation run. */
export interface Containers {
  /** ARN. */
  readonly cluster: string;
  readonly network: TaskNetwork;
  readonly partition: string;
}

/** A busy installation stays busy for as long as a job runs: report it at once, without a retry. */
const retryable = retryableErrorNames.filter((name) => name !== "InstallationBusyError");

/** Faults of Lambda itself. Source: docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html. */
const lambdaFaults = [
  "Lambda.ClientExecutionTimeoutException",
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
  "Lambda.TooManyRequestsException",
];

/** Fargate has no capacity at the moment, or ECS has a fault. */
const ecsFaults = ["AmazonECS.Unknown", "ECS.AmazonECSException", "ECS.ServerException", "ECS.ThrottlingException"];

interface FunctionStep {
  readonly lambdaFunction: IFunction;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly outputPath?: string;
  readonly resultPath?: string;
  readonly resultSelector?: Readonly<Record<string, unknown>>;
  readonly minutes?: number;
}

/** A step that runs a function; retried when a retry can help. */
export const functionStep = (scope: Construct, name: string, { payload, minutes = 2, ...step }: FunctionStep) =>
  new LambdaInvoke(scope, name, {
    ...step,
    payload: TaskInput.fromObject({ ...payload }),
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(Duration.minutes(minutes)),
  }).addRetry({
    errors: [...lambdaFaults, ...retryable],
    interval: Duration.seconds(2),
    backoffRate: 2,
    maxAttempts: 6,
  });

/** The report that a function answers, without what Lambda adds. */
export const reportOf = {
  figures: JsonPath.objectAt("$.Payload.figures"),
  result: JsonPath.objectAt("$.Payload.result"),
};

/** The container is asked to do what the workflow was asked, all of it. */
export const allOfInput = "States.JsonToString($.input)";

/**
 * The container is asked to do a job that the workflow was not asked for.
 *
 * @param part its fields, and where in the state each value is
 * @param fixed fields whose values are always the same
 */
export const ask = (
  kind: JobKind,
  { installation }: Workflow,
  part: Readonly<Record<string, string>>,
  fixed: Readonly<Record<string, string>> = {},
): string => {
  const said = Object.entries({ version: 1, kind, installation, ...fixed }).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  const places = Object.keys(part).map((name) => `${JSON.stringify(name)}:{}`);
  const values = Object.values(part).map((path) => `States.JsonToString(${path})`);
  return `States.Format('\\{${[...said, ...places].join(",")}\\}', ${values.join(", ")})`;
};

interface ContainerStep {
  /** ARN of the task definition. */
  readonly task: string;
  /** The input of the container: an expression for the text of `OPENEMR_OPS_JOB`. */
  readonly asks: string;
  readonly resultPath: string;
  readonly hours: number;
}

/** The container sends heartbeats far more often. Without one for this time, it is lost. */
const longestSilence = Duration.minutes(10);

/** A step that runs a container, which reports to the state's token. Out: its report. */
export const containerStep = (
  scope: Construct,
  name: string,
  { cluster, network, partition }: Containers,
  { task, asks, resultPath, hours }: ContainerStep,
) => {
  const variable = (Name: string, path: string) => ({ Name, "Value.$": path });
  return new CustomState(scope, name, {
    stateJson: {
      Type: "Task",
      Resource: `arn:${partition}:states:::ecs:runTask.waitForTaskToken`,
      HeartbeatSeconds: longestSilence.toSeconds(),
      TimeoutSeconds: Duration.hours(hours).toSeconds(),
      Parameters: {
        Cluster: cluster,
        PropagateTags: "TASK_DEFINITION",
        TaskDefinition: task,
        LaunchType: "FARGATE",
        PlatformVersion: "LATEST",
        NetworkConfiguration: {
          AwsvpcConfiguration: {
            Subnets: [...network.subnetIds],
            SecurityGroups: [...network.securityGroupIds],
            AssignPublicIp: "DISABLED",
          },
        },
        Overrides: {
          ContainerOverrides: [
            {
              Name: containerName,
              Environment: [
                variable("OPENEMR_OPS_JOB", asks),
                variable("OPENEMR_OPS_JOB_ID", "$.job.jobId"),
                variable("OPENEMR_OPS_JOB_KIND", "$.job.kind"),
                variable("OPENEMR_OPS_TASK_TOKEN", "$$.Task.Token"),
              ],
            },
          ],
        },
      },
      ResultPath: resultPath,
    },
  }).addRetry({
    errors: [...retryable, ...ecsFaults],
    interval: Duration.seconds(60),
    backoffRate: 2,
    maxAttempts: 3,
  });
};

/** The fields of the workflow and of this execution. */
export const caller = ({ kind, installation }: Workflow) => ({
  kind,
  installation,
  execution: {
    id: JsonPath.executionId,
    name: JsonPath.executionName,
    startedAt: JsonPath.executionStartTime,
  },
});

/** Puts the input into a field of an object, so that later states can add fields. The input may be of any type. */
export const acceptInput = (scope: Construct): Pass =>
  new Pass(scope, "Accept input", { parameters: { input: JsonPath.entirePayload } });

/** Out: `{ job, input }`. */
export const begin = (scope: Construct, workflow: Workflow): TaskStateBase =>
  functionStep(scope, "Begin", {
    lambdaFunction: workflow.begin,
    payload: { ...caller(workflow), input: JsonPath.objectAt("$.input") },
    outputPath: "$.Payload",
  });

/** @param reports path in the state of the containers' reports */
export const finish = (scope: Construct, workflow: Workflow, ...reports: readonly string[]): TaskStateBase =>
  finishAs(scope, "Finish", workflow, ...reports);

/** The same under another name, for a workflow that ends in two ways. */
export const finishAs = (scope: Construct, name: string, workflow: Workflow, ...reports: readonly string[]) =>
  functionStep(scope, name, {
    lambdaFunction: workflow.finish,
    payload: {
      job: JsonPath.objectAt("$.job"),
      reports: JsonPath.array(...reports.map((path) => JsonPath.stringAt(path))),
    },
    outputPath: "$.Payload",
  });
