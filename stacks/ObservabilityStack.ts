import { Duration, Tags } from "aws-cdk-lib";
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { StackContext } from "sst/constructs";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { Deployment } from "./deployment.ts";
import type { InstallationResources } from "./InstallationStack.ts";
import type { Notifications } from "./NotificationStack.ts";

interface Observed {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly told: Notifications;
  readonly installations: readonly InstallationResources[];
}

const quarter = Duration.minutes(15);

/** Alarms for what no job can tell by itself, and one page that shows a stage. */
export const observability = ({ stack }: StackContext, { deployment, plane, told, installations }: Observed) => {
  const act = new SnsAction(plane.alarms);
  const alarm = (
    id: string,
    metric: IMetric,
    description: string,
    unusual: Partial<
      Pick<ConstructorParameters<typeof Alarm>[2], "comparisonOperator" | "evaluationPeriods" | "treatMissingData">
    > = {},
  ): Alarm => {
    const made = new Alarm(stack, id, {
      metric,
      alarmDescription: description,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...unusual,
    });
    made.addAlarmAction(act);
    return made;
  };
  const errorsOf = (fn: IFunction) => fn.metricErrors({ period: quarter, statistic: "Sum" });
  const waiting = (queue: IQueue) =>
    queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: "Maximum" });

  const queues = {
    UndeliveredEvents: [plane.undeliveredEvents, "Executions or containers ended and the job was not told of it"],
    UndeliveredSchedules: [
      plane.undeliveredSchedules,
      "A schedule came and its job was not started, or not looked for",
    ],
    UndeliveredNotifications: [told.undelivered, "People were not told of a job"],
  } as const;
  for (const [id, [queue, what]] of Object.entries(queues))
    alarm(`${id}Waiting`, waiting(queue), `${what}: see docs/runbooks/undelivered.md`);

  const functions = {
    Begin: plane.begin,
    Finish: plane.finish,
    Fail: plane.fail,
    ExecutionEnded: plane.executionEnded,
    TaskStopped: plane.taskStopped,
    Start: plane.start,
    FindOverdue: plane.findOverdue,
  };
  for (const [id, fn] of Object.entries(functions))
    alarm(`${id}Errors`, errorsOf(fn), `The function ${id} fails: see docs/runbooks/function-errors.md`);
  alarm("NotifyErrors", errorsOf(told.notifySlack), "Telling Slack fails: see docs/runbooks/notifications.md");

  if (deployment.installations.some(({ schedules }) => Object.keys(schedules).length > 0))
    alarm(
      "SweepSilent",
      plane.findOverdue.metricInvocations({ period: Duration.hours(1), statistic: "Sum" }),
      "Nobody looks for overdue jobs: see docs/runbooks/sweep-silent.md",
      {
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 2,
        treatMissingData: TreatMissingData.BREACHING,
      },
    );

  const shown = installations.map(({ id, confirm, stateMachines }, index) => {
    const sum = (name: string, pick: (machine: (typeof stateMachines)[number]) => IMetric) => {
      const metrics = Object.fromEntries(
        stateMachines.map((machine) => [`${machine.kind}_${name.replace(" ", "_")}_${index}`, pick(machine)]),
      );
      return new MathExpression({
        expression: `SUM([${Object.keys(metrics).join(", ")}])`,
        usingMetrics: metrics,
        label: `${id} ${name}`,
        period: quarter,
      });
    };
    const every = { period: quarter, statistic: "Sum" };
    const ends = {
      failed: sum("failed", ({ stateMachine }) => stateMachine.metricFailed(every)),
      timedOut: sum("timed out", ({ stateMachine }) => stateMachine.metricTimedOut(every)),
      aborted: sum("aborted", ({ stateMachine }) => stateMachine.metricAborted(every)),
    };
    alarm(`${id}Failed`, ends.failed, `A job of ${id} failed: see docs/runbooks/job-failed.md`);
    alarm(
      `${id}TimedOut`,
      ends.timedOut,
      `A job of ${id} hung until its time was over: see docs/runbooks/job-failed.md`,
    );
    alarm(`${id}ConfirmErrors`, errorsOf(confirm), `A dump of ${id} is not confirmed: see docs/runbooks/job-failed.md`);
    const succeeded = sum("succeeded", ({ stateMachine }) => stateMachine.metricSucceeded(every));
    return { ends, succeeded };
  });

  /** The cast: the class says "height?: number | undefined" where its own interface says "height?: number". */
  const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, width: 12, left }) as IWidget;
  const everyFunction = [...Object.values(functions), told.notifySlack, ...installations.map(({ confirm }) => confirm)];
  new Dashboard(stack, "Dashboard", {
    widgets: [
      [
        graph(
          "Jobs done",
          shown.map(({ succeeded }) => succeeded),
        ),
        graph(
          "Jobs not done",
          shown.flatMap(({ ends }) => Object.values(ends)),
        ),
      ],
      [
        graph("Functions that fail", everyFunction.map(errorsOf)),
        graph(
          "Undelivered",
          Object.values(queues).map(([queue]) => waiting(queue)),
        ),
      ],
    ],
  });
  Tags.of(stack).add("openemr-ops:stage", deployment.stage);
};
