import type { SlackMessage } from "./blocks.ts";
import type { MessagePlace } from "./threads.ts";

/** A Slack channel that receives messages. */
export interface Slack {
  /**
   * @param answer the message to reply to; `broadcast`: the channel shows the reply too. A webhook cannot reply and only posts.
   * @returns the message's place; undefined from a webhook, which does not return it
   * @throws {ControlPlaneUnavailableError} retryable: Slack does not answer, or asks to wait for longer than the time limit
   * @throws {NotificationRefusedError} fatal: token, channel or webhook is wrong
   */
  post(
    message: SlackMessage,
    answer?: { readonly to: MessagePlace; readonly broadcast: boolean },
  ): Promise<MessagePlace | undefined>;
  /** Replaces a message. Not set for a webhook. Throws as `post` does. Safe to repeat. */
  readonly update?: (place: MessagePlace, message: SlackMessage) => Promise<void>;
}
