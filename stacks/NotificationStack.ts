import { partitions } from "@openemr-ops/core/partitions";
import { eventSource, jobEvents } from "@openemr-ops/events/jobEvent";
import { Duration, Tags } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { StackContext } from "sst/constructs";
import { acceptInNotifications } from "./accepted/notifications.ts";
import type { ControlPlane } from "./ControlPlaneStack.ts";
import type { Deployment } from "./deployment.ts";
import { opsFunction } from "./opsFunction.ts";
import { jobItems } from "./policies/jobItems.ts";
import { readSecrets } from "./policies/readSecrets.ts";
import { useKey } from "./policies/useKey.ts";
import { undeliveredQueue } from "./undeliveredQueue.ts";

export type Notifications = ReturnType<typeof notifications>;

/** Notifies people of jobs. No job waits for it: an outage of Slack delays no job. */
export const notifications = (
  { stack }: StackContext,
  { deployment, plane }: { readonly deployment: Deployment; readonly plane: ControlPlane },
) => {
  const { slack, stage, removable } = deployment;
  const undelivered = undeliveredQueue(stack, "UndeliveredNotifications", plane.key);
  const notifySlack = opsFunction(stack, "NotifySlack", {
    handler: "functions/notify/slack.handler",
    description: "Notifies people in Slack: one message for each job, the result in its thread",
    grants: [
      jobItems(plane.table, [partitions.records("*"), partitions.steps("*")], ["GetItem"]),
      jobItems(plane.table, [partitions.threads("*")], ["GetItem", "PutItem"]),
      jobItems(plane.table, [partitions.once("slack", "*")], ["GetItem", "UpdateItem"]),
      useKey(stack, plane.key, "dynamodb"),
      ...(slack ? [readSecrets(stack, [slack.secret])] : []),
    ],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      ...(slack ? { OPENEMR_OPS_SLACK: JSON.stringify(slack) } : {}),
    },
    key: plane.key,
    removable,
    undelivered,
    timeoutSeconds: 60, // as long as a claim in the ledger is valid
  });
  new Rule(stack, "JobEventRule", {
    description: "Starts, results and overdue jobs, for Slack; no progress",
    eventBus: plane.bus,
    eventPattern: {
      source: [eventSource],
      detailType: Object.keys(jobEvents).filter((name) => name !== "JobProgressed"),
    },
    targets: [
      new LambdaFunction(notifySlack, {
        deadLetterQueue: undelivered,
        maxEventAge: Duration.hours(24),
        retryAttempts: 185,
      }),
    ],
  });
  acceptInNotifications(stack);
  Tags.of(stack).add("openemr-ops:stage", stage);
  return { notifySlack, undelivered };
};
