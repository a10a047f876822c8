import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { reportFailure } from "./reportFailure.ts";
import { acceptInput, allOfInput, begin, type Containers, containerStep, finish, type Workflow } from "./steps.ts";

interface ContainerWorkflow {
  /** What operators call the container's step. */
  readonly name: string;
  /** ARN of the task definition. */
  readonly task: string;
  readonly hours: number;
}

/** A job that one container runs. */
export const containerWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { name, task, hours }: ContainerWorkflow,
): IChainable => {
  const started = begin(scope, workflow);
  const done = containerStep(scope, name, containers, { task, asks: allOfInput, resultPath: "$.report", hours });
  const finished = finish(scope, workflow, "$.report");
  reportFailure(scope, workflow, [started, done, finished]);
  return acceptInput(scope).next(started).next(done).next(finished);
};
