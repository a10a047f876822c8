import { MailRejectedError } from "@openemr-ops/core/errors";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import { type SmtpAddress, smtpClient, unlessAborted } from "./smtpClient.ts";
import { nameSmtpFailure, type SmtpFailure } from "./smtpFailure.ts";

/** A job's end waits for these. */
const limits = { dnsTimeout: 5_000, connectionTimeout: 8_000, greetingTimeout: 8_000, socketTimeout: 10_000 };

const advice = {
  login: "compare notifications.email.user and its password with what the provider expects",
  message: "look whether this login may send as notifications.email.from, and at notifications.email.to",
};

/** A message to people, in plain text. */
export interface MailNotice {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** An SMTP server through which people are notified. */
export interface NoticeServer {
  /**
   * Proves that the login works; sends nothing.
   *
   * @throws as `send`
   */
  check(signal: AbortSignal): Promise<void>;
  /**
   * Sends a message to all recipients.
   *
   * @throws {MailServerUnavailableError} retryable
   * @throws {MailLoginRefusedError} fatal
   * @throws {MailRejectedError} fatal: the server refuses the sender, the message, or a recipient
   * @throws {LocalSystemError} fatal: the authority's file cannot be read
   */
  send(notice: MailNotice, signal: AbortSignal): Promise<void>;
}

/** Nothing is sent before TLS, unless `tls` is `none`. @param login not set, the server asks for none */
export const noticeServer = (address: SmtpAddress, login: SmtpLogin | undefined): NoticeServer => {
  const name = `${address.host}:${address.port}`;
  const named = async <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> => {
    try {
      return await unlessAborted(work, signal);
    } catch (error) {
      throw nameSmtpFailure(error as SmtpFailure, name, login?.user ?? "nobody", advice);
    }
  };
  return {
    check: async (signal) => {
      const client = await smtpClient(address, login, limits);
      await named(client.verify(), signal);
    },
    send: async ({ from, to, subject, text }, signal) => {
      const client = await smtpClient(address, login, limits);
      const headers = { "Auto-Submitted": "auto-generated" };
      const sent = await named(client.sendMail({ from, to: [...to], subject, text, headers }), signal);
      const refused = sent.rejected.length;
      if (refused > 0)
        throw new MailRejectedError(
          `the SMTP server ${name} refuses ${refused} of ${to.length} recipients; the others got the message; look at notifications.email.to`,
        );
    },
  };
};
