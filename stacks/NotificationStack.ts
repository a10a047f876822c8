import { partitions } from "@openemr-ops/core/partitions";
import { alarmDetailType } from "@openemr-ops/events/alarmEvent";
import { eventSource, jobEvents } from "@openemr-ops/events/jobEvent";
import { ArnFormat, type Stack, Tags } from "aws-cdk-lib";
import { Match, Rule } from "aws-cdk-lib/aws-events";
import { EventSourceMapping } from "aws-cdk-lib/aws-lambda";
import type { StackContext } from "sst/constructs";
import { acceptInNotifications } from "./accepted/notifications.ts";
import { appName } from "./appName.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { Deployment } from "./deployment.ts";
import { intoQueue } from "./intoQueue.ts";
import { opsFunction } from "./opsFunction.ts";
import { jobItems } from "./policies/jobItems.ts";
import { readSecrets } from "./policies/readSecrets.ts";
import { receiveFromQueue } from "./policies/receiveFromQueue.ts";
import { useKey } from "./policies/useKey.ts";
import { undeliveredQueue } from "./undeliveredQueue.ts";
import { waitingQueue } from "./waitingQueue.ts";

export type Notifications = ReturnType<typeof notifications>;

const alarmArn = (stack: Stack, name: string): string =>
  stack.formatArn({
    service: "cloudwatch",
    resource: "alarm",
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/**
 * Notifies people of jobs and alarms. No job waits for it: during an outage of Slack messages wait in a queue, in order,
 * and jobs run. One group for the jobs of all installations: they share a channel, which takes about one message a second.
 */
export const notifications = (
  { stack }: StackContext,
  { deployment, plane }: { readonly deployment: Deployment; readonly plane: ControlPlane },
) => {
  const { slack, stage, removable } = deployment;
  const undelivered = undeliveredQueue(stack, "UndeliveredNotifications", plane.key);
  const waiting = waitingQueue(stack, "Notifications", plane.key);
  const notifySlack = opsFunction(stack, "NotifySlack", {
    handler: "functions/notify/slack.handler",
    description: "Notifies people in Slack: one message for each job, the result in its thread",
    grants: [
      jobItems(plane.table, [partitions.records("*"), partitions.steps("*")], ["GetItem"]),
      jobItems(plane.table, [partitions.threads("*")], ["GetItem", "PutItem"]),
      jobItems(plane.table, [partitions.once("slack", "*")], ["GetItem", "UpdateItem"]),
      useKey(stack, plane.key, "dynamodb"),
      ...(slack ? [readSecrets(stack, [slack.secret])] : []),
      receiveFromQueue(waiting),
    ],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_UNDELIVERED_QUEUE: undelivered.queueUrl,
      ...(slack ? { OPENEMR_OPS_SLACK: JSON.stringify(slack) } : {}),
    },
    key: plane.key,
    removable,
    undelivered,
    timeoutSeconds: 60, // as long as a claim in the ledger is valid
  });
  new EventSourceMapping(stack, "NotifySlackQueue", {
    target: notifySlack,
    eventSourceArn: waiting.queueArn,
    batchSize: 1,
  });
  new Rule(stack, "JobEventRule", {
    description: "Starts, results and overdue jobs, for Slack; no progress",
    eventBus: plane.bus,
    eventPattern: {
      source: [eventSource],
      detailType: Object.keys(jobEvents).filter((name) => name !== "JobProgressed"),
    },
    targets: [intoQueue(waiting, "jobs", undelivered)],
  });
  if (deployment.alarms.slack)
    new Rule(stack, "AlarmRule", {
      description: "Alarms of this stage that start to ring, for Slack",
      eventPattern: {
        source: ["aws.cloudwatch"],
        detailType: [alarmDetailType],
        // CloudFormation begins an alarm's name with its stack's, and SST a stack's name with stage and app.
        resources: Match.prefix(alarmArn(stack, `${stage}-${appName}-`)),
        detail: { state: { value: ["ALARM"] } },
      },
      targets: [intoQueue(waiting, "alarms", undelivered)],
    });
  acceptInNotifications(stack);
  Tags.of(stack).add("openemr-ops:stage", stage);
  return { notifySlack, undelivered, waiting };
};
