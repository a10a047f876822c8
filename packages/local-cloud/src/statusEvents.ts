import { describedTask } from "./api/ecs.ts";
import type { Task } from "./containers.ts";
import type { EventBuses } from "./eventBus.ts";
import type { Execution } from "./executions.ts";

/** The events that AWS's services publish on the default bus. */
export const statusEvents = (put: EventBuses["put"]) => ({
  /** Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html. */
  execution: ({ arn, error, cause, input, machine, name, output, startedAt, status, stoppedAt }: Execution): void => {
    put({
      bus: "default",
      source: "aws.states",
      detailType: "Step Functions Execution Status Change",
      resources: [arn],
      detail: {
        executionArn: arn,
        stateMachineArn: machine.arn,
        name,
        status,
        input,
        output: output ?? null,
        startDate: startedAt.getTime(),
        stopDate: stoppedAt?.getTime() ?? null,
        inputDetails: { included: true },
        outputDetails: output === undefined ? null : { included: true },
        error: error ?? null,
        cause: cause ?? null,
      },
    });
  },
  /** Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html. */
  task: (task: Task): void => {
    put({
      bus: "default",
      source: "aws.ecs",
      detailType: "ECS Task State Change",
      resources: [task.arn],
      detail: describedTask(task, (at) => at.toISOString()),
    });
  },
});
