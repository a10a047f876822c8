import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { reportFailure } from "./reportFailure.ts";
import { acceptInput, begin, containerStep, finish, type Workflow } from "./steps.ts";

/** A job that one container runs. */
export const containerWorkflow = (
  scope: Construct,
  workflow: Workflow,
  { name, task, hours }: { readonly name: string; readonly task: string; readonly hours: number },
): IChainable => {
  const started = begin(scope, workflow);
  const done = containerStep(scope, name, workflow, { task, asked: "$.task", resultPath: "$.report", hours });
  const finished = finish(scope, workflow, "$.report");
  reportFailure(scope, workflow, [started, done, finished]);
  return acceptInput(scope).next(started).next(done).next(finished);
};
