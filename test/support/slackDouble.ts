import { NotificationRefusedError } from "@openemr-ops/core/errors";
import type { SlackMessage } from "@openemr-ops/notifications/blocks";
import type { Slack } from "@openemr-ops/notifications/slack";
import type { MessagePlace } from "@openemr-ops/notifications/threads";

/** A message as the channel shows it. */
export interface ShownMessage {
  readonly place: MessagePlace;
  readonly text: string;
  /** `ts` of the message that it answers. */
  readonly thread?: string;
  readonly broadcast?: boolean;
}

export interface SlackDouble extends Slack {
  readonly shown: () => readonly ShownMessage[];
  /** The next calls fail with these, in turn. */
  failWith(...failures: readonly Error[]): void;
  /** A person deletes a message: it can be changed and answered no more. */
  remove(place: MessagePlace): void;
}

const channel = "C0123456789";

/** A channel of Slack that lives in this process. `bot`: else a webhook, which neither answers nor changes. */
export const slackDouble = (kind: "bot" | "webhook" = "bot"): SlackDouble => {
  const messages = new Map<string, ShownMessage>();
  const failures: Error[] = [];
  const elsewhere = async (): Promise<void> => {
    await Promise.resolve();
    const failure = failures.shift();
    if (failure) throw failure;
  };
  const known = (ts: string): ShownMessage => {
    const message = messages.get(ts);
    if (message) return message;
    throw new NotificationRefusedError(
      "Slack refuses to change a message in Slack (message_not_found)",
      "message_not_found",
    );
  };
  let count = 0;
  return {
    shown: () => [...messages.values()],
    failWith: (...next) => failures.push(...next),
    remove: ({ ts }) => messages.delete(ts),
    post: async ({ text }: SlackMessage, answer) => {
      await elsewhere();
      const place = { channel, ts: `1763692204.${String(++count).padStart(6, "0")}` };
      const thread =
        kind === "bot" && answer ? { thread: known(answer.to.ts).place.ts, broadcast: answer.broadcast } : {};
      messages.set(place.ts, { place, text, ...thread });
      return kind === "bot" ? place : undefined;
    },
    ...(kind === "bot"
      ? {
          update: async (place: MessagePlace, { text }: SlackMessage) => {
            await elsewhere();
            messages.set(place.ts, { ...known(place.ts), text });
          },
        }
      : {}),
  };
};
