import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoThreads } from "@openemr-ops/aws/dynamoThreads";
import { readSecret } from "@openemr-ops/core/config/secrets";
import { namesOf } from "@openemr-ops/core/names";
import { busEvent } from "@openemr-ops/events/busEvent";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import { slackTransport } from "@openemr-ops/notifications/slackRequest";
import { type Told, tell } from "@openemr-ops/notifications/tell";
import { logger, taskHandler } from "../shared/taskHandler.ts";
import { type NotifyConfig, readNotifyConfig } from "./config.ts";

/** Seconds for Slack, retries included: the function may run for 60, and a claim in the ledger is valid as long. */
const budgetSeconds = 40;

const { stage, slack: settings, api } = readNotifyConfig(process.env);
const { jobsTable: table } = namesOf(stage);
const ledger = dynamoLedger({ table });
const threads = dynamoThreads({ table });
const secretOf = readSecret({ environment: {}, awsSecret: awsSecret() });

/** Reads the secret for each event, so that a new token is used at once. */
const access = async (slack: NonNullable<NotifyConfig["slack"]>) => {
  const { arn, key } = slack.secret;
  const named = key === undefined ? {} : { key };
  const secret = await secretOf({ kind: "aws", field: "notifications.slack", arn, ...named });
  if (slack.kind === "webhook") return { kind: "webhook", url: secret } as const;
  return { kind: "bot", token: secret, channel: slack.channel, ...(api === undefined ? {} : { api }) } as const;
};

/**
 * Notifies people in Slack of events on the bus. A failure here fails this function only, never a job: Lambda retries the
 * event, then puts it into the dead-letter queue.
 */
export const handler = taskHandler(busEvent, async (event): Promise<{ readonly told: Told }> => {
  if (event.name === "JobProgressed") return { told: "nothing" };
  if (settings === undefined) {
    logger.info("nobody was notified: the configuration has no notifications.slack", { event: event.name });
    return { told: "nothing" };
  }
  const slack = openSlack(await access(settings), slackTransport(budgetSeconds));
  const told = await tell(event, { stage, slack, ledger, threads, warn: (message) => logger.warn(message) });
  logger.info("event handled", { event: event.name, told });
  return { told };
});
