import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Starting these state machines, which may be none, and no other. */
export const startWorkflows = (stateMachines: readonly string[]): readonly PolicyStatement[] =>
  stateMachines.length === 0
    ? []
    : [new PolicyStatement({ actions: ["states:StartExecution"], resources: [...stateMachines] })];
