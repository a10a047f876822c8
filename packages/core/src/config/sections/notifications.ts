import * as z from "zod";
import { valueAt } from "../fieldPath.ts";
import * as field from "../fields.ts";
import { complain, onAnyObject } from "../rules.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

const slack = section(
  strict({
    webhook: field.postingSecret.optional(),
    botToken: field.postingSecret.optional(),
    /** The channel's identifier, such as `C0123456789`. */
    channel: field.slackChannel.optional(),
  }).superRefine(({ webhook, botToken, channel }, context) => {
    if (webhook !== undefined && botToken !== undefined)
      complain(context, ["webhook"], "say either webhook, or botToken and channel, not both");
    else if (webhook === undefined && botToken === undefined)
      complain(context, ["webhook"], "expected env:NAME or a secret's ARN here, or botToken and channel");
    if (botToken !== undefined && channel === undefined)
      complain(context, ["channel"], "is missing; a bot posts to a channel's identifier, such as C0123456789");
    if (webhook !== undefined && channel !== undefined)
      complain(context, ["channel"], "is for a botToken; a webhook has its channel");
  }, onAnyObject),
  ({ webhook, botToken, channel, ...rest }) => {
    if (webhook) return { ...rest, kind: "webhook" as const, webhook };
    if (botToken && channel !== undefined) return { ...rest, kind: "bot" as const, botToken, channel };
    throw new TypeError("the schema lets nothing else pass");
  },
);

/** Where people are notified of alarms: failures that no job can report. */
const alarms = strict({
  /** Each address gets a message of AWS first, with a link to confirm. */
  email: field.someOf(field.emailAddress, "e-mail addresses").optional(),
  /** Not set: true where `notifications.slack` is. */
  slack: z.boolean({ error: "expected true or false" }).optional(),
});

/** Where people are notified of jobs and of alarms. */
export const notifications = section(
  strict({ slack: slack.schema.optional(), alarms: alarms.optional() }).superRefine((written, context) => {
    if (valueAt(written, ["alarms", "slack"]) === true && written.slack === undefined)
      complain(context, ["alarms", "slack"], "needs notifications.slack, which is missing");
  }, onAnyObject),
  ({ slack: written, ...rest }) => ({
    ...rest,
    ...(written ? { slack: slack.settle(written) } : {}),
  }),
);
