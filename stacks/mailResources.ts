import { receivedBy } from "@openemr-ops/core/config/sections/mail";
import { partitions } from "@openemr-ops/core/partitions";
import { CfnOutput, CustomResource, Duration, type Stack } from "aws-cdk-lib";
import { ComparisonOperator, Metric } from "aws-cdk-lib/aws-cloudwatch";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { EventSourceMapping } from "aws-cdk-lib/aws-lambda";
import { CfnReceiptRule } from "aws-cdk-lib/aws-ses";
import { acceptInMail } from "./accepted/mail.ts";
import { alarm, quarter } from "./alarm.ts";
import type { DeployedInboundMail, DeployedInstallation } from "./deployment.ts";
import type { InstallationContext, SectionResources } from "./InstallationStack.ts";
import { mailArchive } from "./mailArchive.ts";
import { opsFunction } from "./opsFunction.ts";
import { claimRuleSet } from "./policies/claimRuleSet.ts";
import { jobItems } from "./policies/jobItems.ts";
import { readMail } from "./policies/readMail.ts";
import { receiveFromQueue } from "./policies/receiveFromQueue.ts";
import { sendMail } from "./policies/sendMail.ts";
import { sendToQueue } from "./policies/sendToQueue.ts";
import { useKey } from "./policies/useKey.ts";
import { retryQueue } from "./retryQueue.ts";
import { undeliveredQueue } from "./undeliveredQueue.ts";

/** Where AWS begins to look at an account, and far below where it stops it. Source: Amazon SES, "Reputation metrics". */
const highBounceRate = 0.05;

/** A message waits for a day at most: SES has such outages, and people notice then. */
const deliveriesInADay = 240;

/**
 * What the section `mail` of an installation needs: SES stores each message and calls a function, which forwards it. One that may
 * work later waits; one that a person has to look at is a dead letter.
 */
export const mailResources = (
  stack: Stack,
  { id }: DeployedInstallation,
  inbound: DeployedInboundMail,
  { deployment, plane }: Pick<InstallationContext, "deployment" | "plane">,
): SectionResources => {
  const { names, removable, stage } = deployment;
  const { key, alarms } = plane;
  const { bucket, prefix, retentionDays, from, routes, ruleSet } = inbound;
  const ruleName = `${names.prefix}-${id}`;
  const rule = `arn:${stack.partition}:ses:${stack.region}:${stack.account}:receipt-rule-set/${ruleSet}:receipt-rule/${ruleName}`;

  const archive = mailArchive(stack, { id, bucket, prefix, retentionDays, rule, removable });
  const undelivered = undeliveredQueue(stack, "UndeliveredMail", key);
  const waiting = retryQueue(stack, "WaitingMail", { key, undelivered, deliveries: deliveriesInADay });
  const forward = opsFunction(stack, "ForwardMail", {
    handler: "functions/mail/forwardMail.handler",
    description: `Forwards received mail of ${id}`,
    grants: [
      readMail(stack, { bucket, prefix }, archive.key),
      sendMail(stack, from),
      jobItems(plane.table, [partitions.once("mail", id)], ["GetItem", "UpdateItem"]),
      useKey(stack, key, "dynamodb"),
      receiveFromQueue(waiting),
      sendToQueue(waiting),
    ],
    environment: {
      OPENEMR_OPS_STAGE: stage,
      OPENEMR_OPS_INSTALLATION: id,
      OPENEMR_OPS_INBOUND_MAIL: JSON.stringify(inbound),
      OPENEMR_OPS_WAITING_QUEUE: waiting.queueUrl,
      OPENEMR_OPS_UNDELIVERED_QUEUE: undelivered.queueUrl,
    },
    key,
    removable,
    undelivered,
    timeoutSeconds: 60, // as long as a claim in the ledger is valid
    memoryMiB: 1769, // a message of 40 MB is there four times while it is sent
  });
  new EventSourceMapping(stack, "ForwardMailQueue", {
    target: forward,
    eventSourceArn: waiting.queueArn,
    batchSize: 1,
  });
  forward.addPermission("ForwardMailBySes", {
    principal: new ServicePrincipal("ses.amazonaws.com"),
    sourceAccount: stack.account,
    sourceArn: rule,
  });

  const claim = opsFunction(stack, "ReceiptRuleSetClaim", {
    handler: "functions/mail/receiptRuleSet.handler",
    description: "Makes SES's receipt rule set, activates it where none is, and removes it when it is ours and empty",
    grants: [claimRuleSet()],
    environment: { OPENEMR_OPS_STAGE: stage },
    key,
    removable,
    timeoutSeconds: 60,
  });
  const claimed = new CustomResource(stack, "ReceiptRuleSet", {
    resourceType: "Custom::ReceiptRuleSet",
    serviceToken: claim.functionArn,
    serviceTimeout: Duration.minutes(5),
    properties: { ruleSet },
  });
  const received = new CfnReceiptRule(stack, "ReceiptRule", {
    ruleSetName: ruleSet,
    rule: {
      name: ruleName,
      enabled: true,
      recipients: [...receivedBy(routes)],
      scanEnabled: true,
      tlsPolicy: "Optional", // refusing plain connections would lose mail; SES offers TLS to all
      actions: [
        { s3Action: { bucketName: bucket, objectKeyPrefix: prefix } },
        { lambdaAction: { functionArn: forward.functionArn, invocationType: "Event" } },
      ],
    },
  });
  // SES tries both rights when the rule is made.
  received.node.addDependency(claimed, archive.bucket, forward);

  alarm(stack, "UndeliveredMailAlarm", alarms, {
    metric: undelivered.metricApproximateNumberOfMessagesVisible({ ...quarter, statistic: "Maximum" }),
    description: `Mail of ${id} could not be forwarded (runbook: inbound-mail)`,
  });
  alarm(stack, "WaitingMailAlarm", alarms, {
    metric: waiting.metricApproximateAgeOfOldestMessage({ ...quarter, statistic: "Maximum" }),
    threshold: Duration.hours(1).toSeconds(),
    description: `Mail of ${id} waits for an hour (runbook: inbound-mail)`,
  });
  alarm(stack, "ForwardMailErrors", alarms, {
    metric: forward.metricErrors(quarter),
    threshold: 3, // a single one is tried again
    description: `The function that forwards mail of ${id} fails (runbook: inbound-mail)`,
  });
  alarm(stack, "ReceiptRuleSetClaimErrors", alarms, {
    metric: claim.metricErrors(quarter),
    description: `The receipt rule set of ${id} was not claimed (runbook: inbound-mail)`,
  });
  alarm(stack, "MailBounces", alarms, {
    metric: new Metric({
      namespace: "AWS/SES",
      metricName: "Reputation.BounceRate",
      period: quarter.period,
      statistic: "Maximum",
    }),
    threshold: highBounceRate,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    description: "More of the account's mail bounces than AWS tolerates (runbook: inbound-mail)",
  });
  for (const [name, value, description] of [
    ["ForwardMailFunctionArn", forward.functionArn, "The function that forwards received mail"],
    ["UndeliveredMailQueueArn", undelivered.queueArn, "The queue of mail that could not be forwarded"],
    ["WaitingMailQueueArn", waiting.queueArn, "The queue of mail that is forwarded later; dead letters are moved here"],
  ] as const)
    new CfnOutput(stack, name, { value, description });
  acceptInMail(stack);
  return { stateMachines: [] };
};
