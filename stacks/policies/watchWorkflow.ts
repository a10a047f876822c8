import { PolicyStatement } from "aws-cdk-lib/aws-iam";

/** See which executions of these state machines there are. */
export const listExecutions = (...stateMachines: readonly string[]): readonly PolicyStatement[] => [
  new PolicyStatement({ actions: ["states:ListExecutions"], resources: [...stateMachines] }),
];

/** See whether an execution of this state machine runs, and how it ended. */
export const describeExecutions = (stateMachine: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["states:DescribeExecution"],
    resources: [`${stateMachine.replace(":stateMachine:", ":execution:")}:*`],
  }),
];

/** See how far an execution of this state machine is. */
export const lookAtExecutions = (stateMachine: string): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: ["states:GetExecutionHistory"],
    resources: [`${stateMachine.replace(":stateMachine:", ":execution:")}:*`],
  }),
];
