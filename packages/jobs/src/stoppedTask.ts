import type { NamedFailure } from "@openemr-ops/events/workflowSteps";

/** The fields of an ECS task state change. Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html. */
export interface TaskChange {
  readonly lastStatus: string;
  readonly stopCode?: string | undefined;
  readonly stoppedReason?: string | undefined;
  readonly containers: readonly {
    readonly name?: string | undefined;
    readonly exitCode?: number | undefined;
    readonly reason?: string | undefined;
  }[];
  readonly overrides: {
    readonly containerOverrides: readonly {
      readonly environment?: readonly { readonly name: string; readonly value?: string | undefined }[] | undefined;
    }[];
  };
}

/** What to report to the workflow of a stopped task. */
export interface StoppedTask {
  readonly token: string;
  readonly failure: NamedFailure;
}

const longestMessage = 1000;

const tokenOf = ({ overrides }: TaskChange): string | undefined =>
  overrides.containerOverrides
    .flatMap(({ environment = [] }) => environment)
    .find(({ name }) => name === "OPENEMR_OPS_TASK_TOKEN")?.value;

const reasonsOf = ({ stoppedReason, containers }: TaskChange): readonly string[] => [
  ...(stoppedReason ? [stoppedReason] : []),
  ...containers.flatMap(({ name = "container", exitCode, reason }) => [
    ...(reason ? [`${name}: ${reason}`] : []),
    ...(exitCode === undefined ? [] : [`${name} ended with status ${exitCode}`]),
  ]),
];

/**
 * What to report to the workflow of a task that stopped, in case the task itself could not report: its token, and the
 * reason that ECS gives. Undefined when the task still runs, or when it has no workflow.
 */
export const stoppedTask = (change: TaskChange): StoppedTask | undefined => {
  const token = tokenOf(change);
  if (change.lastStatus !== "STOPPED" || !token) return undefined;
  const neverRan = change.stopCode === "TaskFailedToStart";
  const reasons = reasonsOf(change).join("; ") || "no reason is known";
  const message = `the task ${neverRan ? "did not start" : "stopped"}: ${reasons}`;
  return {
    token,
    failure: { name: neverRan ? "TaskNotStartedError" : "TaskStoppedError", message: message.slice(0, longestMessage) },
  };
};
