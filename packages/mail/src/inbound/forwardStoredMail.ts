import { MailTooLargeError } from "@openemr-ops/core/errors";
import {
  decideForwarding,
  type ForwardingDecision,
  type InboundSettings,
  type Receipt,
  type Sending,
} from "./decideForwarding.ts";
import { forwardedMessage } from "./forwardedMessage.ts";
import { noticeOf } from "./notice.ts";
import { type RawMessage, splitMessage } from "./rawMessage.ts";

/** A message in the archive, opened and not yet read. */
export interface StoredMail {
  readonly byteLength: number;
  /** Such as `s3://clinic-mail/inbound/0abc`. */
  readonly location: string;
  readonly link: string;
  read(): Promise<Buffer>;
  /** Ends the request where the message is not read. */
  close(): void;
}

/** The port to the archive of raw messages. */
export interface MailArchive {
  /** @throws {MailUnreadableError} fatal: it is not there, or nobody but its writer can decrypt it */
  open(messageId: string): Promise<StoredMail>;
}

/** The port to whoever sends a message as it is. */
export interface RawSender {
  /**
   * @returns the identifier that the message got
   * @throws {MailTooLargeError} refused
   * @throws {MailRejectedError} fatal: the sender, a recipient or the message
   */
  send(raw: Buffer, envelope: { readonly from: string; readonly to: readonly string[] }): Promise<string>;
}

export interface Forwarding {
  readonly archive: MailArchive;
  readonly sender: RawSender;
  readonly settings: InboundSettings;
  /**
   * Does something once for a message and a target, however often it is asked. False: it was done before. What failed, or was
   * cut off, is done again.
   */
  readonly once: (messageId: string, target: string, act: () => Promise<void>) => Promise<boolean>;
  readonly now: () => Date;
}

/** What was done with a message. */
export interface Forwarded {
  readonly action: "forward" | "notify" | "hold" | "drop";
  readonly reason?: string;
  /** Targets that got it now, and those that had it before. */
  readonly sent: number;
  readonly before: number;
  /** The identifiers of what was sent. */
  readonly sentAs: readonly string[];
}

type Send = (raw: Buffer, groups: readonly (readonly string[])[]) => Promise<Omit<Forwarded, "action">>;

/** Sends to each target once. A group is claimed target by target; those that have the message are left out. */
const sendOnce =
  (messageId: string, { once, sender, settings }: Forwarding): Send =>
  async (raw, groups) => {
    const sentAs: string[] = [];
    let sent = 0;
    const claim = async ([next, ...rest]: readonly string[], claimed: readonly string[]): Promise<void> => {
      if (next !== undefined) {
        const mine = await once(messageId, next.toLowerCase(), () => claim(rest, [...claimed, next]));
        if (!mine) await claim(rest, claimed);
      } else if (claimed.length > 0) {
        sentAs.push(await sender.send(raw, { from: settings.from, to: claimed }));
        sent += claimed.length;
      }
    };
    for (const group of groups) await claim(group, []);
    return { sent, before: groups.flat().length - sent, sentAs };
  };

/**
 * Forwards one stored message, or says what else is done with it. Repeating is safe: a target that has the message does not
 * get it again. Where a send was cut off before its answer, its targets may get the message twice, never not at all.
 *
 * @throws {MailUnreadableError} fatal
 * @throws {MailLoopError} refused
 * @throws {MailRouteError} refused: after it was sent to the recipients that have a route
 */
export const forwardStoredMail = async (receipt: Receipt, forwarding: Forwarding): Promise<Forwarded> => {
  const { archive, settings, now } = forwarding;
  const { from, installation, mostBytes } = settings;
  const stored = await archive.open(receipt.messageId);
  try {
    const { byteLength, location, link } = stored;
    const decide = (message?: RawMessage) =>
      decideForwarding(receipt, { byteLength, headers: message?.headers }, settings);
    const send = sendOnce(receipt.messageId, forwarding);
    const notify = async ({ groups, afterwards }: Pick<Sending, "groups" | "afterwards">): Promise<Forwarded> => {
      const raw = noticeOf({ from, installation, byteLength, location, link, now: now() });
      const done = await send(raw, groups);
      if (afterwards) throw afterwards;
      return { action: "notify", ...done };
    };
    const unsent = ({ action, reason }: Extract<ForwardingDecision, { readonly reason: string }>): Forwarded => ({
      action,
      reason,
      sent: 0,
      before: 0,
      sentAs: [],
    });
    const unread = decide();
    if (unread.action === "refuse") throw unread.error;
    if (unread.action === "hold" || unread.action === "drop") return unsent(unread);
    if (byteLength > mostBytes) return await notify(unread);

    const message = splitMessage(await stored.read());
    const decision = decide(message);
    if (decision.action === "refuse") throw decision.error;
    if (decision.action === "drop") return unsent(decision);
    if (decision.action !== "forward") throw new TypeError("a decision changed while the message was read");
    const raw = forwardedMessage(message, { from, sender: receipt.sender, installation, marks: decision.marks });
    if (raw.length > mostBytes) return await notify(decision);
    try {
      const done = await send(raw, decision.groups);
      if (decision.afterwards) throw decision.afterwards;
      return { action: "forward", ...done };
    } catch (error) {
      if (error instanceof MailTooLargeError) return await notify(decision);
      throw error;
    }
  } finally {
    stored.close();
  }
};
