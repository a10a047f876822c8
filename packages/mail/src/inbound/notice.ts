import { headerOf } from "./headerLine.ts";
import { loopHeader } from "./loops.ts";
import { formatMailbox } from "./mailbox.ts";
import { joinMessage } from "./rawMessage.ts";

export interface NoticeOf {
  readonly from: string;
  readonly installation: string;
  readonly byteLength: number;
  /** Where the message is stored, such as `s3://clinic-mail/inbound/0abc`. */
  readonly location: string;
  /** A page that shows it to who may see it. */
  readonly link: string;
  readonly now: Date;
}

/**
 * What is sent in place of a message that is too large: where it is, and nothing of what it says. No sender, no recipient and
 * no subject, which may name a patient; the link opens nothing without an account.
 */
export const noticeOf = ({ from, installation, byteLength, location, link, now }: NoticeOf): Buffer => {
  const megabytes = (byteLength / 1_000_000).toFixed(1);
  const lines = [
    `A message of ${megabytes} MB arrived for you. It is too large to be forwarded, and is stored instead:`,
    "",
    `  ${location}`,
    `  ${link}`,
    "",
    "Whoever runs your OpenEMR can open it there. It is deleted when the archive's retention ends.",
    "This message was written by a program. Nobody reads answers to it.",
    "",
  ];
  return joinMessage({
    headers: [
      headerOf(loopHeader, installation),
      headerOf("From", formatMailbox({ name: "OpenEMR mail", address: from })),
      headerOf("To", formatMailbox({ name: "", address: from })),
      headerOf("Subject", "A message was too large to forward"),
      headerOf("Date", now.toUTCString().replace("GMT", "+0000")),
      headerOf("Auto-Submitted", "auto-generated"),
      headerOf("MIME-Version", "1.0"),
      headerOf("Content-Type", "text/plain; charset=us-ascii"),
    ],
    body: Buffer.from(lines.join("\r\n")),
  });
};
