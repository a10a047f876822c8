import { Duration } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import {
  Choice,
  Condition,
  type IChainable,
  JsonPath,
  Pass,
  Result,
  Wait,
  WaitTime,
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
  type Workflow,
} from "./steps.ts";

/**
 * An export that RDS makes: a container says which tables may leave, then a function asks RDS and looks every minute how far it
 * is. Where the job asked for the other engine, the container has exported already.
 */
export const auroraWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { task, follow }: { readonly task: string; readonly follow: IFunction },
): IChainable => {
  const started = begin(scope, workflow);
  const planned = containerStep(scope, "Export database", containers, {
    task,
    asks: allOfInput,
    resultPath: "$.report",
    hours: 24,
  });
  const unasked = new Pass(scope, "RDS not asked yet", {
    result: Result.fromObject({ state: "new", since: "" }),
    resultPath: "$.followed",
  });
  const followed = functionStep(scope, "Follow RDS", {
    lambdaFunction: follow,
    payload: {
      job: JsonPath.objectAt("$.job"),
      report: JsonPath.objectAt("$.report"),
      followed: JsonPath.objectAt("$.followed"),
    },
    resultSelector: {
      state: JsonPath.stringAt("$.Payload.state"),
      since: JsonPath.stringAt("$.Payload.since"),
      figures: JsonPath.objectAt("$.Payload.figures"),
      result: JsonPath.objectAt("$.Payload.result"),
    },
    resultPath: "$.followed",
    minutes: 5,
  });
  const wait = new Wait(scope, "Wait for RDS", { time: WaitTime.duration(Duration.seconds(60)) });
  const whole = new Pass(scope, "RDS is done", {
    parameters: { figures: JsonPath.objectAt("$.followed.figures"), result: JsonPath.objectAt("$.followed.result") },
    resultPath: "$.report",
  });
  const finished = finish(scope, workflow, "$.report");
  reportFailure(scope, workflow, [started, planned, followed, finished]);
  const isDone = new Choice(scope, "Done?")
    .when(Condition.stringEquals("$.followed.state", "done"), whole.next(finished))
    .otherwise(wait.next(followed));
  const byRds = Condition.and(
    Condition.isPresent("$.report.result.engine"),
    Condition.stringEquals("$.report.result.engine", "aurora"),
  );
  return acceptInput(scope)
    .next(started)
    .next(planned)
    .next(new Choice(scope, "By RDS?").when(byRds, unasked.next(followed).next(isDone)).otherwise(finished));
};
