import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoThreads } from "@openemr-ops/aws/dynamoThreads";
import { namesOf } from "@openemr-ops/core/names";
import { busEvent } from "@openemr-ops/events/busEvent";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import { slackTransport } from "@openemr-ops/notifications/slackRequest";
import { type Told, tell } from "@openemr-ops/notifications/tell";
import { logger, taskHandler } from "../shared/taskHandler.ts";
import { type NotifyConfig, readNotifyConfig } from "./config.ts";

/** Seconds for Slack, retries included: the function may run for 60, and a claim in the ledger lasts as long. */
const budgetSeconds = 40;

const { stage, slack: settings, api } = readNotifyConfig(process.env);
const { jobsTable: table } = namesOf(stage);
const ledger = dynamoLedger({ table });
const threads = dynamoThreads({ table });
const readSecret = awsSecret();

/** Read anew for each event: a token that was replaced counts at once. */
const access = async (slack: NonNullable<NotifyConfig["slack"]>) => {
  const secret = await readSecret(slack.secret.arn, slack.secret.key);
  if (slack.kind === "webhook") return { kind: "webhook", url: secret } as const;
  return { kind: "bot", token: secret, channel: slack.channel, ...(api === undefined ? {} : { api }) } as const;
};

/**
 * Tells people of what the bus says, in Slack. Whatever fails here fails this function alone, never a job: Lambda tries the
 * event again, then puts it into the dead-letter queue.
 */
export const handler = taskHandler(busEvent, async (event): Promise<{ readonly told: Told }> => {
  if (event.name === "JobProgressed") return { told: "nothing" };
  if (settings === undefined) {
    logger.info("nobody is told: the configuration names no Slack", { event: event.name });
    return { told: "nothing" };
  }
  const slack = openSlack(await access(settings), slackTransport(budgetSeconds));
  const told = await tell(event, { stage, slack, ledger, threads, warn: (message) => logger.warn(message) });
  logger.info("event told", { event: event.name, told });
  return { told };
});
