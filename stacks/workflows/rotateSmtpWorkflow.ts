import type { IFunction } from "aws-cdk-lib/aws-lambda";
import {
  Choice,
  Condition,
  type IChainable,
  JsonPath,
  Pass,
  Result,
  type TaskStateBase,
  Wait,
  WaitTime,
} from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import type { RedeployFunctions } from "../redeployFunctions.ts";
import { healthStep } from "./proveOpenEmr.ts";
import { redeployment } from "./redeployment.ts";
import { reportFailure } from "./reportFailure.ts";
import {
  acceptInput,
  allOfInput,
  begin,
  type Containers,
  containerStep,
  finish,
  finishAs,
  functionStep,
  type Workflow,
} from "./steps.ts";

interface SmtpParts {
  /** ARN of the task definition. */
  readonly task: string;
  /** Holds the locks while the workflow waits. */
  readonly hold: IFunction;
  readonly redeploy: RedeployFunctions;
}

const noReport = Result.fromObject({ figures: {}, result: {} });

/** A part of the whole is asked as the workflow was, except for these fields. The workflow has waited: nothing is left of the soak. */
const phases = Result.fromObject({ switch: { phase: "switch" }, retire: { phase: "retire", soakMinutes: 0 } });

/** Deploys OpenEMR anew where its containers get SMTP settings by their environment; `$.deployed` and `$.health` are reports. */
const redeployWhereNeeded = (scope: Construct, { look, ...functions }: RedeployFunctions, next: IChainable) => {
  const health = look && healthStep(scope, look);
  const noHealth = new Pass(scope, "Health is not looked at", { result: noReport, resultPath: "$.health" });
  const redeployed = redeployment(scope, functions, (health ?? noHealth).next(next));
  const notDeployed = new Pass(scope, "Containers stay", { result: noReport, resultPath: "$.deployed" });
  const unchanged = new Pass(scope, "OpenEMR stays as it is", { result: noReport, resultPath: "$.health" });
  const needed = Condition.and(
    Condition.isPresent("$.switched.result.redeploy"),
    Condition.stringEquals("$.switched.result.redeploy", "needed"),
  );
  return {
    first: new Choice(scope, "Settings in the environment?")
      .when(needed, redeployed.first)
      .otherwise(notDeployed.next(unchanged).next(next)),
    mayFail: [...redeployed.mayFail, ...(health ? [health] : [])] as readonly TaskStateBase[],
  };
};

/**
 * A rotation of the SMTP credentials: a container switches, OpenEMR is deployed anew where it has to be, the workflow waits while
 * the key before is inactive, a container looks again and deletes that key. The containers go back or forward by themselves, so a
 * failure is only reported. A dry run, and one part that a person asks for, is one container's work.
 */
export const rotateSmtpWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { task, hold, redeploy }: SmtpParts,
): IChainable => {
  const container = (name: string, asks: string, resultPath: string) =>
    containerStep(scope, name, containers, { task, asks, resultPath, hours: 2 });
  const asked = (phase: "switch" | "retire") =>
    `States.JsonToString(States.JsonMerge($.input, $.phases.${phase}, false))`;

  const started = begin(scope, workflow);
  const part = container("Do what was asked", allOfInput, "$.report");
  const partFinished = finishAs(scope, "Finish what was asked", workflow, "$.report");
  const planned = new Pass(scope, "Plan phases", { result: phases, resultPath: "$.phases" });
  const switched = container("Switch login", asked("switch"), "$.switched");
  const nothingLeft = finishAs(scope, "Finish at once", workflow, "$.switched");
  const held = functionStep(scope, "Hold locks", {
    lambdaFunction: hold,
    payload: { job: JsonPath.objectAt("$.job"), seconds: JsonPath.numberAt("$.switched.figures.soakSeconds") },
    resultPath: JsonPath.DISCARD,
  });
  const soak = new Wait(scope, "Soak", { time: WaitTime.secondsPath("$.switched.figures.soakSeconds") });
  const retired = container("Retire key", asked("retire"), "$.retired");
  const finished = finish(scope, workflow, "$.retired", "$.switched", "$.deployed", "$.health");
  const redeployed = redeployWhereNeeded(scope, redeploy, held);
  reportFailure(scope, workflow, [
    ...[started, part, partFinished, switched, nothingLeft],
    ...redeployed.mayFail,
    ...[held, retired, finished],
  ]);

  held.next(soak).next(retired).next(finished);
  switched.next(
    new Choice(scope, "Soaking?")
      .when(Condition.stringEquals("$.switched.result.state", "soaking"), redeployed.first)
      .otherwise(nothingLeft),
  );
  planned.next(switched);
  const whole = Condition.and(
    Condition.stringEquals("$.input.phase", "all"),
    Condition.booleanEquals("$.job.dryRun", false),
  );
  return acceptInput(scope)
    .next(started)
    .next(new Choice(scope, "Whole rotation?").when(whole, planned).otherwise(part.next(partFinished)));
};
