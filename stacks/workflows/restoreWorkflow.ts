import type { Construct } from "constructs";
import { containerWorkflow } from "./containerWorkflow.ts";
import type { Containers, Workflow } from "./steps.ts";

/** Restores a dump beside the live system, or in its place. In: `{ dump, intoDatabase, intoSites }` or `{ dump, inPlace: true }`. */
export const restoreWorkflow = (scope: Construct, workflow: Workflow, containers: Containers, task: string) =>
  containerWorkflow(scope, workflow, containers, { name: "Restore dump", task, hours: 48 });
