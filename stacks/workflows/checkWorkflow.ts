import type { Construct } from "constructs";
import { containerWorkflow } from "./containerWorkflow.ts";
import type { Containers, Workflow } from "./steps.ts";

/** Checks the destination for damage. In: `{}`, `{ level }` or `{ level: "read-data", share: "1/7" }`. */
export const checkWorkflow = (scope: Construct, workflow: Workflow, containers: Containers, task: string) =>
  containerWorkflow(scope, workflow, containers, { name: "Check dumps", task, hours: 24 });
