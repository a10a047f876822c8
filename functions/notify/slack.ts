import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoThreads } from "@openemr-ops/aws/dynamoThreads";
import { readSecret } from "@openemr-ops/core/config/secrets";
import { namesOf } from "@openemr-ops/core/names";
import { alarmDetailType, alarmEvent } from "@openemr-ops/events/alarmEvent";
import { busEvent } from "@openemr-ops/events/busEvent";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import type { Slack } from "@openemr-ops/notifications/slack";
import { slackTransport } from "@openemr-ops/notifications/slackRequest";
import { type Told, tell } from "@openemr-ops/notifications/tell";
import { tellAlarm } from "@openemr-ops/notifications/tellAlarm";
import type { Context } from "aws-lambda";
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

interface Notified {
  readonly told: Told;
}

/** Notifies people of one event, where the configuration names a channel. */
const notified = async (event: string, notify: (slack: Slack) => Promise<Told>): Promise<Notified> => {
  if (settings === undefined) {
    logger.info("nobody was notified: the configuration has no notifications.slack", { event });
    return { told: "nothing" };
  }
  const told = await notify(openSlack(await access(settings), slackTransport(budgetSeconds)));
  logger.info("event handled", { event, told });
  return { told };
};

const ofJob = taskHandler(busEvent, async (event): Promise<Notified> => {
  if (event.name === "JobProgressed") return { told: "nothing" };
  const warn = (message: string) => logger.warn(message);
  return notified(event.name, (slack) => tell(event, { stage, slack, ledger, threads, warn }));
});

const ofAlarm = taskHandler(
  alarmEvent,
  async (event): Promise<Notified> => notified(alarmDetailType, (slack) => tellAlarm(event, { stage, slack, ledger })),
);

const isAlarm = (event: unknown): boolean =>
  typeof event === "object" && event !== null && "detail-type" in event && event["detail-type"] === alarmDetailType;

/**
 * Notifies people in Slack of events on the bus, and of alarms. A failure here fails this function only, never a job: Lambda
 * retries the event, then puts it into the dead-letter queue.
 */
export const handler = (event: unknown, context: Context): Promise<Notified> =>
  Promise.resolve(isAlarm(event) ? ofAlarm(event, context) : ofJob(event, context));
