import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** Starting these state machines. */
export const startWorkflows = (stateMachines: readonly string[]): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["states:StartExecution"], resources: [...stateMachines] }),
];
