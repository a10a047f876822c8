import type { IFunction } from "aws-cdk-lib/aws-lambda";
import {
  Choice,
  Condition,
  type CustomState,
  type IChainable,
  JsonPath,
  Pass,
  Result,
} from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { reportFailure } from "./reportFailure.ts";
import {
  acceptInput,
  allOfInput,
  begin,
  type Containers,
  containerStep,
  finish,
  functionStep,
  reportOf,
  type Workflow,
} from "./steps.ts";

/** A step by what operators call it. */
interface Named {
  readonly name: string;
}

interface ConfirmedWorkflow {
  /** A container stores something. `task`, here and below: ARN of its definition. */
  readonly store: Named & { readonly task: string };
  /** A function looks at the destination itself. */
  readonly confirm: Named & { readonly function: IFunction };
  /** A container that may delete removes what is old. `asks`: its input. */
  readonly clear: Named & { readonly task: string; readonly asks: string };
  /** What comes after, in order. */
  readonly after?: readonly CustomState[];
}

/** A job that stores something, has it confirmed, and then removes what is old. A dry run does the first step alone. */
export const confirmedWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { store, confirm, clear, after = [] }: ConfirmedWorkflow,
): IChainable => {
  const started = begin(scope, workflow);
  const stored = containerStep(scope, store.name, containers, {
    task: store.task,
    asks: allOfInput,
    resultPath: "$.report",
    hours: 24,
  });
  const confirmed = functionStep(scope, confirm.name, {
    lambdaFunction: confirm.function,
    payload: { job: JsonPath.objectAt("$.job"), report: JsonPath.objectAt("$.report") },
    resultSelector: reportOf, // the report, with its confirmation
    resultPath: "$.report",
    minutes: 16,
  });
  const cleared = containerStep(scope, clear.name, containers, {
    task: clear.task,
    asks: clear.asks,
    resultPath: "$.cleared",
    hours: 12,
  });
  const finished = finish(scope, workflow, "$.report", "$.cleared");
  const nothingToClear = new Pass(scope, "Nothing to clear", {
    result: Result.fromObject({ figures: {}, result: {} }),
    resultPath: "$.cleared",
  });
  reportFailure(scope, workflow, [started, stored, confirmed, cleared, ...after, finished]);
  const last = after.reduce((chain, state) => chain.next(state), confirmed.next(cleared));
  return acceptInput(scope)
    .next(started)
    .next(stored)
    .next(
      new Choice(scope, "Dry run?")
        .when(Condition.booleanEquals("$.job.dryRun", true), nothingToClear.next(finished))
        .otherwise(last.next(finished)),
    );
};
