import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Start these state machines only; the list may be empty. */
export const startWorkflows = (stateMachines: readonly string[]): readonly PolicyStatement[] =>
  stateMachines.length === 0
    ? []
    : [new PolicyStatement({ actions: ["states:StartExecution"], resources: [...stateMachines] })];
