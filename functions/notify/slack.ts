import { awsSecret } from "@openemr-ops/aws/awsSecret";
import { dynamoLedger } from "@openemr-ops/aws/dynamoLedger";
import { dynamoThreads } from "@openemr-ops/aws/dynamoThreads";
import { messageQueue } from "@openemr-ops/aws/messageQueue";
import { readSecret } from "@openemr-ops/core/config/secrets";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError, OpsError, toOpsError } from "@openemr-ops/core/errors";
import { namesOf } from "@openemr-ops/core/names";
import { type AlarmEvent, alarmDetailType, alarmEvent } from "@openemr-ops/events/alarmEvent";
import { busEvent } from "@openemr-ops/events/busEvent";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import { httpTransport } from "@openemr-ops/notifications/httpRequest";
import { openSlack } from "@openemr-ops/notifications/openSlack";
import { reasonToSetAside } from "@openemr-ops/notifications/reasonToSetAside";
import { type Told, tell } from "@openemr-ops/notifications/tell";
import { tellAlarm } from "@openemr-ops/notifications/tellAlarm";
import * as z from "zod";
import { queuedMessage } from "../shared/queuedMessage.ts";
import { logged, logger, taskHandler } from "../shared/taskHandler.ts";
import { type NotifyConfig, readNotifyConfig } from "./config.ts";

/** Seconds for Slack, retries included: the function may run for 60, and a claim in the ledger is valid as long. */
const budgetSeconds = 40;

const { stage, slack: settings, api, undelivered } = readNotifyConfig(process.env);
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

const isAlarm = (event: unknown): boolean =>
  typeof event === "object" && event !== null && "detail-type" in event && event["detail-type"] === alarmDetailType;

/** What happened: an event of a job, or of an alarm of CloudWatch. */
const eventIn = (input: unknown): JobEvent | AlarmEvent => {
  if (isAlarm(input)) return alarmEvent.parse(input);
  const parsed = parseStrictly(busEvent, input);
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

const notify = async (event: JobEvent | AlarmEvent): Promise<Told> => {
  const name = "detail-type" in event ? event["detail-type"] : event.name;
  if (name === "JobProgressed") return "nothing";
  if (settings === undefined) {
    logger.info("nobody was notified: the configuration has no notifications.slack", { event: name });
    return "nothing";
  }
  const slack = openSlack(await access(settings), httpTransport(budgetSeconds));
  const warn = (message: string) => logger.warn(message);
  const told = await ("detail-type" in event
    ? tellAlarm(event, { stage, slack, ledger })
    : tell(event, { origin: { stage }, slack, ledger, threads, warn }));
  logger.info("event handled", { event: name, told });
  return told;
};

/** Moves a message to where people find it, so that the messages behind it are sent. */
const setAside = async (body: string, reason: string, failure?: unknown): Promise<"set aside"> => {
  if (undelivered === undefined)
    throw (
      failure ?? new InvalidInputError([{ path: "OPENEMR_OPS_UNDELIVERED_QUEUE", message: "is not set; deploy again" }])
    );
  await messageQueue({ url: undelivered }).send(body);
  logger.error("a notification was set aside", {
    reason,
    ...(failure ? { failure: logged(toOpsError(failure)) } : {}),
  });
  return "set aside";
};

/** The event of a message; an error for one that is none, now and at every later delivery. */
const readMessage = (body: string): JobEvent | AlarmEvent | OpsError => {
  try {
    return eventIn(JSON.parse(body));
  } catch (error) {
    return toOpsError(error);
  }
};

const deliver = async ({ body, waiting }: z.output<typeof queuedMessage>): Promise<Told | "set aside"> => {
  const crashed = reasonToSetAside(undefined, waiting, new Date());
  if (crashed !== undefined) return setAside(body, crashed);
  const event = readMessage(body);
  if (event instanceof OpsError) return setAside(body, "it is no event of a job", event);
  try {
    return await notify(event);
  } catch (error) {
    const reason = reasonToSetAside(toOpsError(error), waiting, new Date());
    if (reason === undefined) throw error;
    return setAside(body, reason, error);
  }
};

/**
 * Notifies people in Slack of an event: of one message of the queue, or of the event itself, as a person invokes it again. A
 * failure here fails this function only, never a job: the message waits in the queue, and those behind it with it.
 */
export const handler = taskHandler(z.unknown(), async (input): Promise<{ readonly told: Told | "set aside" }> => {
  const message = queuedMessage.safeParse(input);
  return { told: message.success ? await deliver(message.data) : await notify(eventIn(input)) };
});
