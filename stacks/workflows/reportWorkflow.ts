import type { Construct } from "constructs";
import { containerWorkflow } from "./containerWorkflow.ts";
import type { Containers, Workflow } from "./steps.ts";

/** Stores a page on the installation beside its dumps. In: `{}`. */
export const reportWorkflow = (scope: Construct, workflow: Workflow, containers: Containers, task: string) =>
  containerWorkflow(scope, workflow, containers, { name: "Write report", task, hours: 2 });
