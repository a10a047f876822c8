import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IChainable } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { confirmedWorkflow } from "./confirmedWorkflow.ts";
import { ask, type Containers, type Workflow } from "./steps.ts";

/**
 * Brings the dumps to one copy: a container copies what is missing there, a function confirms the newest one at the copy, then
 * a container that may delete there removes old ones. In: `{}` for the first copy, or `{ copy }`.
 */
export const copyWorkflow = (
  scope: Construct,
  workflow: Workflow,
  containers: Containers,
  { copy, confirm, clear }: { readonly copy: string; readonly confirm: IFunction; readonly clear: string },
): IChainable =>
  confirmedWorkflow(scope, workflow, containers, {
    store: { name: "Copy dumps", task: copy },
    confirm: { name: "Confirm copy", function: confirm },
    clear: {
      name: "Clear old copies",
      task: clear,
      asks: ask("retention", workflow, { dryRun: "$.job.dryRun", copy: "$.input.copy" }),
    },
  });
