import { MailUnreadableError } from "@openemr-ops/core/errors";
import type { InboundSettings } from "@openemr-ops/mail/inbound/decideForwarding";
import type { Forwarding } from "@openemr-ops/mail/inbound/forwardStoredMail";
import { memoryJobLedger } from "./memoryJobLedger.ts";

export interface SentMail {
  readonly raw: Buffer;
  readonly from: string;
  readonly to: readonly string[];
}

/** An archive and a mail service in memory, which shows what was sent. `refuse` is asked before each send. */
export const memoryMail = (
  stored: Readonly<Record<string, Buffer>>,
  settings: InboundSettings,
  refuse: (mail: SentMail, attempt: number) => Error | undefined = () => undefined,
) => {
  const sent: SentMail[] = [];
  const read: string[] = [];
  const ledger = memoryJobLedger();
  let attempts = 0;
  const forwarding: Forwarding = {
    settings,
    now: () => new Date("2026-11-27T09:00:00Z"),
    once: (messageId, target, act) =>
      ledger.once({ topic: "mail", installation: settings.installation, key: `${messageId}#${target}` }, act),
    archive: {
      open: async (messageId) => {
        const raw = stored[messageId];
        if (!raw) throw new MailUnreadableError(`${messageId} is not in the archive`);
        return {
          byteLength: raw.length,
          location: `s3://clinic-mail/inbound/${messageId}`,
          link: `https://console.example/${messageId}`,
          read: async () => {
            read.push(messageId);
            return raw;
          },
          close: () => {},
        };
      },
    },
    sender: {
      send: async (raw, { from, to }) => {
        attempts += 1;
        const refusal = refuse({ raw, from, to }, attempts);
        if (refusal) throw refusal;
        sent.push({ raw, from, to });
        return `sent-${sent.length}`;
      },
    },
  };
  return { forwarding, sent, read };
};
