import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { type IChainable, JsonPath } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { reportFailure } from "./reportFailure.ts";
import { acceptInput, begin, finish, functionStep, reportOf, type Workflow } from "./steps.ts";

interface FunctionWorkflow {
  /** What operators call the function's step. */
  readonly name: string;
  /** Takes a `workRequest`, answers a `taskReport`. */
  readonly work: IFunction;
  /** Longer than the function's own time limit. */
  readonly minutes: number;
}

/** A job that one function does, without a container. */
export const functionWorkflow = (
  scope: Construct,
  workflow: Workflow,
  { name, work, minutes }: FunctionWorkflow,
): IChainable => {
  const started = begin(scope, workflow);
  const done = functionStep(scope, name, {
    lambdaFunction: work,
    payload: { job: JsonPath.objectAt("$.job"), input: JsonPath.objectAt("$.input") },
    resultSelector: reportOf,
    resultPath: "$.report",
    minutes,
  });
  const finished = finish(scope, workflow, "$.report");
  reportFailure(scope, workflow, [started, done, finished]);
  return acceptInput(scope).next(started).next(done).next(finished);
};
