import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { Choice, Condition, Errors, type IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { healthStep } from "./proveOpenEmr.ts";
import { lookAtService, redeployment } from "./redeployment.ts";
import { reportFailure } from "./reportFailure.ts";
import {
  acceptInput,
  allOfInput,
  ask,
  begin,
  type Containers,
  containerStep,
  finish,
  finishAs,
  type Workflow,
} from "./steps.ts";

interface RotationParts {
  /** ARN of the task definition. */
  readonly task: string;
  readonly start: IFunction;
  readonly follow: IFunction;
  readonly health: IFunction;
}

/**
 * A rotation of the database user: a container switches, ECS deploys OpenEMR anew, OpenEMR is looked at, a container retires the
 * user before. What fails up to there goes back to that user, then fails under its own name. What fails in the last step does not:
 * OpenEMR works with the new user. A dry run, and one part that a person asks for, is one container's work.
 */
export const rotateDatabaseWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { task, health: look, ...functions }: RotationParts,
): IChainable => {
  const phase = (name: string, asked: "switch" | "retire" | "rollBack", resultPath: string) =>
    containerStep(scope, name, containers, {
      task,
      asks: ask("rotateDatabase", workflow, { dryRun: "$.job.dryRun" }, { phase: asked }),
      resultPath,
      hours: 2,
    });
  const started = begin(scope, workflow);
  const part = containerStep(scope, "Do what was asked", containers, {
    task,
    asks: allOfInput,
    resultPath: "$.report",
    hours: 2,
  });
  const partFinished = finishAs(scope, "Finish what was asked", workflow, "$.report");
  const looked = lookAtService(scope, functions.start);
  const switched = phase("Switch user", "switch", "$.switched");
  const health = healthStep(scope, look);
  const retired = phase("Retire user", "retire", "$.retired");
  const finished = finish(scope, workflow, "$.switched", "$.retired", "$.deployed", "$.health");
  const redeployed = redeployment(scope, functions, health);
  const back = phase("Roll back", "rollBack", "$.rolledBack");

  const report = reportFailure(scope, workflow, [started, part, partFinished, looked, retired, finished]);
  for (const state of [switched, ...redeployed.mayFail, health])
    state.addCatch(back, { errors: [Errors.ALL], resultPath: "$.failure" });
  back.next(report);
  back.addCatch(report, { errors: [Errors.ALL], resultPath: "$.rollBackFailure" });

  looked.next(switched);
  switched.next(redeployed.first);
  health.next(retired).next(finished);
  const whole = Condition.and(
    Condition.stringEquals("$.input.phase", "all"),
    Condition.booleanEquals("$.job.dryRun", false),
  );
  return acceptInput(scope)
    .next(started)
    .next(new Choice(scope, "Whole rotation?").when(whole, looked).otherwise(part.next(partFinished)));
};
