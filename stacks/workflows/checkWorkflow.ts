import type { Construct } from "constructs";
import { containerWorkflow } from "./containerWorkflow.ts";
import type { Workflow } from "./steps.ts";

/** Checks the destination for damage. In: `{}`, `{ level }` or `{ level: "read-data", share: "1/7" }`. */
export const checkWorkflow = (scope: Construct, workflow: Workflow, task: string) =>
  containerWorkflow(scope, workflow, { name: "Check dumps", task, hours: 24 });
