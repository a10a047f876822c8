import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { confirmedWorkflow } from "./confirmedWorkflow.ts";
import { startStep } from "./startStep.ts";
import { ask, type Containers, type Workflow } from "./steps.ts";

interface DumpSteps {
  readonly take: string;
  readonly confirm: IFunction;
  readonly clear: string;
  /** The workflow that copies dumps, and how many copies there are. */
  readonly copies?: { readonly workflow: string; readonly count: number };
}

/**
 * One dump: a container takes it, a function confirms it at the destination, then a container that may delete removes old
 * dumps. Each copy is a job of its own, which starts when nothing is removed from the repository any more. A dry run has nothing
 * to confirm, to remove or to copy. In: `{}`.
 */
export const dumpWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { take, confirm, clear, copies }: DumpSteps,
): IChainable =>
  confirmedWorkflow(scope, workflow, containers, {
    store: { name: "Take dump", task: take },
    confirm: { name: "Confirm dump", function: confirm },
    clear: { name: "Clear old dumps", task: clear, asks: ask("retention", workflow, { dryRun: "$.job.dryRun" }) },
    after: Array.from({ length: copies?.count ?? 0 }, (_, index) =>
      startStep(scope, `Start copy ${index + 1}`, containers, {
        workflow: copies?.workflow ?? "",
        suffix: `copy-${index + 1}`,
        input: { copy: index + 1 },
      }),
    ),
  });
