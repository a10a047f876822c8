import type { SlackMessage } from "./blocks.ts";
import type { MessagePlace } from "./threads.ts";

/** A channel of Slack that messages go to. */
export interface Slack {
  /**
   * @param answer to which message; `broadcast`: the channel sees the answer too. A webhook cannot answer and just posts.
   * @returns where the message is; nothing from a webhook, which does not tell
   * @throws {ControlPlaneUnavailableError} retryable: Slack does not answer, or asks to wait for longer than there is time
   * @throws {NotificationRefusedError} fatal: token, channel or webhook is wrong
   */
  post(
    message: SlackMessage,
    answer?: { readonly to: MessagePlace; readonly broadcast: boolean },
  ): Promise<MessagePlace | undefined>;
  /** Replaces a message. Not set for a webhook. Throws as `post` does. Safe to repeat. */
  readonly update?: (place: MessagePlace, message: SlackMessage) => Promise<void>;
}
