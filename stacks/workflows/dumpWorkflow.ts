import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Choice, Condition, type IChainable, JsonPath, Pass, Result } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { reportFailure } from "./reportFailure.ts";
import {
  acceptInput,
  allOfInput,
  ask,
  begin,
  type Containers,
  containerStep,
  finish,
  functionStep,
  reportOf,
  type Workflow,
} from "./steps.ts";

/**
 * One dump: a container takes it, a function confirms it at the destination, then a container that may delete removes old
 * dumps. A dry run has nothing to confirm or to remove. In: `{}`.
 */
export const dumpWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { take, confirm, clear }: { readonly take: string; readonly confirm: IFunction; readonly clear: string },
): IChainable => {
  const started = begin(scope, workflow);
  const taken = containerStep(scope, "Take dump", containers, {
    task: take,
    asks: allOfInput,
    resultPath: "$.report",
    hours: 24,
  });
  const confirmed = functionStep(scope, "Confirm dump", {
    lambdaFunction: confirm,
    payload: { job: JsonPath.objectAt("$.job"), report: JsonPath.objectAt("$.report") },
    resultSelector: reportOf, // the report, with its confirmation
    resultPath: "$.report",
    minutes: 16,
  });
  const cleared = containerStep(scope, "Clear old dumps", containers, {
    task: clear,
    asks: ask("retention", workflow, { dryRun: "$.job.dryRun" }),
    resultPath: "$.cleared",
    hours: 12,
  });
  const finished = finish(scope, workflow, "$.report", "$.cleared");
  const nothingToClear = new Pass(scope, "Nothing to clear", {
    result: Result.fromObject({ figures: {}, result: {} }),
    resultPath: "$.cleared",
  });
  reportFailure(scope, workflow, [started, taken, confirmed, cleared, finished]);
  return acceptInput(scope)
    .next(started)
    .next(taken)
    .next(
      new Choice(scope, "Dry run?")
        .when(Condition.booleanEquals("$.job.dryRun", true), nothingToClear.next(finished))
        .otherwise(confirmed.next(cleared).next(finished)),
    );
};
