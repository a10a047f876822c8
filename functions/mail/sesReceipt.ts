import type { Receipt, Verdict } from "@openemr-ops/mail/inbound/decideForwarding";
import * as z from "zod";

/** Unknown words are no reason to lose a message: they are kept as marks. */
const verdict = z
  .object({ status: z.enum(["PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED"]).catch("PROCESSING_FAILED") })
  .default({ status: "DISABLED" });

/**
 * What SES gives to a function about one message, as far as it is used. The headers that it repeats are left out: they may name
 * a patient, and queues would keep them.
 */
export const sesEvent = z.object({
  Records: z.tuple([
    z.object({
      ses: z.object({
        mail: z.object({ messageId: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/), source: z.string().default("") }),
        receipt: z.object({
          recipients: z.array(z.string()),
          spamVerdict: verdict,
          virusVerdict: verdict,
        }),
      }),
    }),
  ]),
});

/** A null sender comes as an empty text or as `<>`. */
const senderOf = (source: string): string => source.replace(/^<(.*)>$/, "$1").trim();

export const receiptOf = ({ Records: [{ ses }] }: z.output<typeof sesEvent>): Receipt => ({
  messageId: ses.mail.messageId,
  sender: senderOf(ses.mail.source),
  recipients: ses.receipt.recipients,
  virus: ses.receipt.virusVerdict.status satisfies Verdict,
  spam: ses.receipt.spamVerdict.status satisfies Verdict,
});
