import { PolicyStatement } from "aws-cdk-lib/aws-iam";

type Answer = "Failure" | "Heartbeat" | "Success";

/** Telling these state machines how the work of a container goes. Needs the task's token beside this right. */
export const answerTasks = (
  stateMachines: readonly string[],
  answers: readonly Answer[],
): readonly PolicyStatement[] => [
  new PolicyStatement({
    actions: answers.map((answer) => `states:SendTask${answer}`),
    resources: [...stateMachines],
  }),
];
