import type { Construct } from "constructs";
import { containerWorkflow } from "./containerWorkflow.ts";
import type { Containers, Workflow } from "./steps.ts";

/** Restores a dump into a scratch schema and directory, compares it with its manifest and deletes the copy. In: `{}` or `{ dump }`. */
export const drillWorkflow = (scope: Construct, workflow: Workflow, containers: Containers, task: string) =>
  containerWorkflow(scope, workflow, containers, { name: "Drill restore", task, hours: 24 });
