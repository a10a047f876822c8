import { secretReference, slackChannel } from "@openemr-ops/core/config/fields";
import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import * as z from "zod";
import { type Environment, readStage } from "../shared/environment.ts";

/** A message that begins with "expected" would quote the value, and people may paste the webhook itself. */
const secret = strict({
  arn: z.string({ error: "is missing" }).regex(secretReference, { error: "is no secret's ARN" }),
  key: z.string({ error: "is no field's name" }).optional(),
});

const slackSettings = z.discriminatedUnion(
  "kind",
  [strict({ kind: z.literal("webhook"), secret }), strict({ kind: z.literal("bot"), secret, channel: slackChannel })],
  { error: "expected webhook or bot" },
);

export interface NotifyConfig {
  readonly stage: string;
  /** Not set: nobody is notified. */
  readonly slack?: z.output<typeof slackSettings>;
  /** Address of the queue for messages that nobody can be told. Not set: such a message fails. */
  readonly undelivered?: string;
  /** Address of Slack's API, when it is not Slack's own. */
  readonly api?: string;
}

const json = (name: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInputError([{ path: name, message: "is not JSON; deploy this function again" }]);
  }
};

/** @throws {InvalidInputError} fatal: a variable is absent or wrong; the function must not start */
export const readNotifyConfig = (environment: Environment): NotifyConfig => {
  const {
    OPENEMR_OPS_SLACK: text,
    OPENEMR_OPS_SLACK_API: api,
    OPENEMR_OPS_UNDELIVERED_QUEUE: undelivered,
  } = environment;
  const common = { stage: readStage(environment), ...(undelivered ? { undelivered } : {}), ...(api ? { api } : {}) };
  if (!text) return common;
  const parsed = parseStrictly(slackSettings, json("OPENEMR_OPS_SLACK", text));
  if ("data" in parsed) return { ...common, slack: parsed.data };
  throw new InvalidInputError(
    parsed.issues.map(({ path, message }) => ({
      path: ["OPENEMR_OPS_SLACK", path].filter(Boolean).join("."),
      message,
    })),
  );
};
