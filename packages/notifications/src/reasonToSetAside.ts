import { NotificationRefusedError, UnexpectedError } from "@openemr-ops/core/errors";

/** How long a message has waited to be told. */
export interface Waiting {
  readonly since: Date;
  /** Deliveries until now, this one included. */
  readonly deliveries: number;
}

const longestDays = 4;
/** So often a message is delivered in four days, every six minutes. */
const mostDeliveries = 1000;
/** An unknown error: about an hour. */
const mostUnexpected = 10;

/** Slack's error codes about one message alone: another message can be accepted. */
const ofOneMessage: ReadonlySet<string> = new Set([
  "invalid_arguments",
  "invalid_attachments",
  "invalid_blocks",
  "invalid_blocks_format",
  "invalid_payload",
  "msg_blocks_too_long",
  "msg_too_long",
  "no_text",
  "too_many_attachments",
]);

/**
 * Why a message that was not told must let others pass; nothing while it has to wait. Whatever concerns every message (Slack
 * does not answer, the token is wrong, the ledger does not answer) waits for days, so that the order is kept.
 *
 * @param failure absent before the first attempt of this delivery: earlier ones may have ended without an answer
 */
export const reasonToSetAside = (
  failure: Error | undefined,
  { since, deliveries }: Waiting,
  now: Date,
): string | undefined => {
  if (deliveries > mostDeliveries) return `it was delivered ${deliveries} times`;
  if (failure === undefined) return undefined;
  if (failure instanceof NotificationRefusedError && ofOneMessage.has(failure.code))
    return `Slack does not accept this message (${failure.code})`;
  if (failure instanceof UnexpectedError && deliveries >= mostUnexpected)
    return `it failed ${deliveries} times for a reason that is not known`;
  const days = (now.getTime() - since.getTime()) / 86_400_000;
  return days >= longestDays ? `it waited for ${Math.floor(days)} days` : undefined;
};
