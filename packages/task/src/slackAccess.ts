import type { NotificationSettings } from "@openemr-ops/core/config/settings";
import type { SlackAccess } from "@openemr-ops/notifications/openSlack";
import { openSecrets } from "./openSecrets.ts";
import type { Place } from "./program.ts";

type Slack = NonNullable<NotificationSettings["notifications"]["slack"]>;

/** The setting that names Slack's secret. */
export const slackSecret = (slack: Slack) => (slack.kind === "webhook" ? slack.webhook : slack.botToken);

/** Reads the secret with which messages go to Slack. @throws what `openSecrets` throws */
export const slackAccess = async (slack: Slack, { environment }: Pick<Place, "environment">): Promise<SlackAccess> => {
  const secret = await openSecrets(environment)(slackSecret(slack));
  if (slack.kind === "webhook") return { kind: "webhook", url: secret };
  const { OPENEMR_OPS_SLACK_API: api } = environment;
  return { kind: "bot", token: secret, channel: slack.channel, ...(api ? { api } : {}) };
};
