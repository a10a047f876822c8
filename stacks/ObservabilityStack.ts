import { Duration, Tags } from "aws-cdk-lib";
import {
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  SearchExpression,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { StackContext } from "sst/constructs";
import { alarm, quarter } from "./alarm.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { Deployment } from "./deployment.ts";
import type { Notifications } from "./NotificationStack.ts";

interface Observed {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly told: Notifications;
}

const errorsOf = (fn: IFunction) => fn.metricErrors(quarter);

const waitingIn = (queue: IQueue) =>
  queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5), statistic: "Maximum" });

/**
 * A metric of everything of the stage that has it, found by the words in its name: a widget that lists metrics takes 500, and
 * a search shows 500 at most.
 */
const searched = ({ names }: Deployment, namespace: string, dimension: string, metric: string): IMetric =>
  new SearchExpression({
    expression: `SEARCH('{${namespace},${dimension}} MetricName="${metric}" ${names.prefix.replaceAll("-", " ")}', '${quarter.statistic}', ${quarter.period.toSeconds()})`,
    label: "",
    period: quarter.period,
  });

/** The cast: the class has "height?: number | undefined" where its own interface has "height?: number". */
const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, width: 12, left }) as IWidget;

/** Alarms for failures that no job can report, and a dashboard of the stage. Each installation has its own alarms too. */
export const observability = ({ stack }: StackContext, { deployment, plane, told }: Observed): void => {
  Tags.of(stack).add("openemr-ops:stage", deployment.stage);
  const queues: Readonly<Record<string, readonly [IQueue, string]>> = {
    UndeliveredEvents: [plane.undeliveredEvents, "The end of an execution or a container was not delivered to its job"],
    UndeliveredSchedules: [
      plane.undeliveredSchedules,
      "A schedule was due, and the start of its job or the search for overdue jobs was not delivered",
    ],
    UndeliveredNotifications: [told.undelivered, "A notification of a job was not delivered to Slack"],
  };
  for (const [id, [queue, what]] of Object.entries(queues))
    alarm(stack, `${id}Waiting`, plane.alarms, {
      metric: waitingIn(queue),
      description: `${what} (runbook: undelivered)`,
    });

  alarm(stack, "NotificationsWaiting", plane.alarms, {
    metric: told.waiting.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(15), statistic: "Maximum" }),
    threshold: Duration.hours(1).toSeconds(),
    description: "Notifications of jobs have waited for Slack for an hour (runbook: notifications)",
  });

  const functions: Readonly<Record<string, IFunction>> = {
    Begin: plane.begin,
    Finish: plane.finish,
    Fail: plane.fail,
    ExecutionEnded: plane.executionEnded,
    TaskStopped: plane.taskStopped,
    Start: plane.start,
    FindOverdue: plane.findOverdue,
    NotifySlack: told.notifySlack,
  };
  for (const [id, fn] of Object.entries(functions))
    alarm(stack, `${id}Errors`, plane.alarms, {
      metric: errorsOf(fn),
      description: `The function ${id} fails (runbook: ${id === "NotifySlack" ? "notifications" : "function-errors"})`,
    });

  if (deployment.installations.some(({ schedules }) => Object.keys(schedules).length > 0))
    alarm(stack, "SweepSilent", plane.alarms, {
      metric: plane.findOverdue.metricInvocations({ period: Duration.hours(1), statistic: "Sum" }),
      description: "The search for overdue jobs does not run (runbook: sweep-silent)",
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 2,
      treatMissingData: TreatMissingData.BREACHING,
    });

  const found = (namespace: string, dimension: string, metric: string) =>
    searched(deployment, namespace, dimension, metric);
  const executions = (metric: string) => found("AWS/States", "StateMachineArn", metric);
  new Dashboard(stack, "Dashboard", {
    widgets: [
      [
        graph("Jobs done", [executions("ExecutionsSucceeded")]),
        graph("Jobs not done", ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"].map(executions)),
      ],
      [
        graph("Functions that fail", [found("AWS/Lambda", "FunctionName", "Errors")]),
        graph(
          "Undelivered",
          Object.values(queues).map(([queue]) => waitingIn(queue)),
        ),
      ],
    ],
  });
};
