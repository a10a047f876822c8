import { PolicyStatement } from "aws-cdk-lib/aws-iam";

type Answer = "Failure" | "Heartbeat" | "Success";

/** Report a task's heartbeat and result to these state machines only; the list may be empty. The task's token is needed too. */
export const answerTasks = (
  stateMachines: readonly string[],
  answers: readonly Answer[],
): readonly PolicyStatement[] =>
  stateMachines.length === 0
    ? []
    : [
        new PolicyStatement({
          actions: answers.map((answer) => `states:SendTask${answer}`),
          resources: [...stateMachines],
        }),
      ];
