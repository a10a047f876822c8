import type { TaskNetwork } from "@openemr-ops/core/config/settings";
import { retryableErrorNames } from "@openemr-ops/core/errors";
import type { WorkflowKind } from "@openemr-ops/core/names";
import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { CustomState, JsonPath, Pass, TaskInput, type TaskStateBase, Timeout } from "aws-cdk-lib/aws-stepfunctions";
import { LambdaInvoke } from "aws-cdk-lib/aws-stepfunctions-tasks";
import type { Construct } from "constructs";
import { containerName } from "../taskDefinition.ts";

/** What the states of one workflow know without being told. */
export interface Workflow {
  readonly kind: WorkflowKind;
  readonly installation: string;
  readonly begin: IFunction;
  readonly finish: IFunction;
  readonly fail: IFunction;
  /** ARN. */
  readonly cluster: string;
  readonly network: TaskNetwork;
  readonly partition: string;
}

/** A busy installation stays busy for as long as a job takes: the caller hears of it at once. */
const retryable = retryableErrorNames.filter((name) => name !== "InstallationBusyError");

/** Faults of Lambda itself. Source: docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html. */
const lambdaFaults = [
  "Lambda.ClientExecutionTimeoutException",
  "Lambda.ServiceException",
  "Lambda.AWSLambdaException",
  "Lambda.SdkClientException",
  "Lambda.TooManyRequestsException",
];

/** No room in Fargate just now, or ECS itself in trouble. */
const ecsFaults = ["AmazonECS.Unknown", "ECS.AmazonECSException", "ECS.ServerException", "ECS.ThrottlingException"];

interface FunctionStep {
  readonly lambdaFunction: IFunction;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly outputPath?: string;
  readonly resultPath?: string;
  readonly resultSelector?: Readonly<Record<string, unknown>>;
  readonly minutes?: number;
}

/** One step by a function; tried again where that can help. */
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

interface ContainerStep {
  /** ARN of the task definition. */
  readonly task: string;
  /** Where in the state the text of `OPENEMR_OPS_JOB` is. */
  readonly asked: string;
  readonly resultPath: string;
  readonly hours: number;
}

/** The container tells of itself far more often; this long a silence means that it is gone. */
const longestSilence = Duration.minutes(10);

/** One step by a container, which answers the state's token; out: its report. */
export const containerStep = (
  scope: Construct,
  name: string,
  { cluster, network, partition }: Workflow,
  { task, asked, resultPath, hours }: ContainerStep,
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
                variable("OPENEMR_OPS_JOB", asked),
                variable("OPENEMR_OPS_JOB_ID", "$.job.jobId"),
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

/** What a workflow says of itself and of this execution. */
export const caller = ({ kind, installation }: Workflow) => ({
  kind,
  installation,
  execution: {
    id: JsonPath.executionId,
    name: JsonPath.executionName,
    startedAt: JsonPath.executionStartTime,
  },
});

/** Whatever was given, be it no object, becomes a field of one, so that later states can add theirs. */
export const acceptInput = (scope: Construct): Pass =>
  new Pass(scope, "Accept input", { parameters: { input: JsonPath.entirePayload } });

/** Out: `{ job, task, retention }`. */
export const begin = (scope: Construct, workflow: Workflow): TaskStateBase =>
  functionStep(scope, "Begin", {
    lambdaFunction: workflow.begin,
    payload: { ...caller(workflow), input: JsonPath.objectAt("$.input") },
    outputPath: "$.Payload",
  });

/** @param reports where in the state the containers' reports are */
export const finish = (scope: Construct, workflow: Workflow, ...reports: readonly string[]): TaskStateBase =>
  functionStep(scope, "Finish", {
    lambdaFunction: workflow.finish,
    payload: {
      job: JsonPath.objectAt("$.job"),
      reports: JsonPath.array(...reports.map((path) => JsonPath.stringAt(path))),
    },
    outputPath: "$.Payload",
  });
