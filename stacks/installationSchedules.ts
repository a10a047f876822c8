import type { Schedule } from "@openemr-ops/core/config/settings";
import { schedulerExpression } from "@openemr-ops/core/cron";
import { type ScheduledKind, scheduledKinds } from "@openemr-ops/events/jobKinds";
import type { OverdueRequest, StartRequest } from "@openemr-ops/events/workflowSteps";
import { Duration, type Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import { acceptInSchedules } from "./accepted/schedules.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { DeployedInstallation, Deployment } from "./deployment.ts";
import { invokeFunctions } from "./policies/invokeFunctions.ts";
import { sendToQueue } from "./policies/sendToQueue.ts";
import { useKey } from "./policies/useKey.ts";
import { workflowArn } from "./workflowArn.ts";

interface ScheduleContext {
  readonly deployment: Deployment;
  readonly plane: ControlPlane;
  readonly since: string;
}

type Scheduled = Schedule & {
  readonly kind: ScheduledKind;
  readonly input: Readonly<Record<string, unknown>>;
};

/** Fields of a schedule that say nothing of when it comes are its job's input. */
const scheduledOf = ({ schedules }: DeployedInstallation): readonly Scheduled[] =>
  scheduledKinds.flatMap((kind) => {
    const schedule = schedules[kind];
    if (!schedule) return [];
    const { cron, timeZone, flexibleMinutes, deadlineMinutes, ...input } = schedule;
    return [{ kind, cron, timeZone, flexibleMinutes, deadlineMinutes, input }];
  });

/** Schedules of an installation's jobs, and of the search for overdue jobs every 15 minutes. */
export const installationSchedules = (
  stack: Stack,
  installation: DeployedInstallation,
  { deployment: { names }, plane, since }: ScheduleContext,
): void => {
  const { id } = installation;
  const scheduled = scheduledOf(installation);
  if (scheduled.length === 0) return;
  const role = new Role(stack, "ScheduleRole", {
    assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": stack.account } },
    }),
  });
  const grants = [
    invokeFunctions(plane.start, plane.findOverdue),
    sendToQueue(plane.undeliveredSchedules),
    useKey(stack, plane.key, "sqs"),
  ];
  for (const statement of grants.flat()) role.addToPolicy(statement);

  acceptInSchedules(stack);

  const target = (arn: string, input: StartRequest | OverdueRequest, longestDelay: Duration) => ({
    arn,
    roleArn: role.roleArn,
    input: JSON.stringify(input),
    deadLetterConfig: { arn: plane.undeliveredSchedules.queueArn },
    retryPolicy: { maximumEventAgeInSeconds: longestDelay.toSeconds(), maximumRetryAttempts: 185 },
  });
  for (const { kind, cron, timeZone, flexibleMinutes, deadlineMinutes, input } of scheduled)
    new CfnSchedule(stack, `${kind}Schedule`, {
      name: names.schedule(id, kind),
      groupName: plane.scheduleGroup,
      description: `Starts the ${kind} of ${id}`,
      scheduleExpression: schedulerExpression(cron),
      scheduleExpressionTimezone: timeZone,
      flexibleTimeWindow:
        flexibleMinutes > 0 ? { mode: "FLEXIBLE", maximumWindowInMinutes: flexibleMinutes } : { mode: "OFF" },
      target: target(
        plane.start.functionArn,
        {
          kind,
          installation: id,
          stateMachine: workflowArn(stack, names, id, kind),
          dueAt: "<aws.scheduler.scheduled-time>",
          input: { ...input },
        },
        // A start after the deadline is of no use.
        Duration.seconds(Math.min(86_400, Math.max(60, deadlineMinutes * 60))),
      ),
    });
  new CfnSchedule(stack, "OverdueSchedule", {
    name: `${id}-overdue`,
    groupName: plane.scheduleGroup,
    description: `Searches for scheduled jobs of ${id} that did not succeed in time`,
    scheduleExpression: "rate(15 minutes)",
    flexibleTimeWindow: { mode: "OFF" },
    target: target(
      plane.findOverdue.functionArn,
      {
        installation: id,
        schedules: scheduled.map(({ kind, cron, timeZone, deadlineMinutes }) => ({
          kind,
          cron,
          timeZone,
          deadlineMinutes,
          since,
        })),
      },
      Duration.minutes(15),
    ),
  });
};
