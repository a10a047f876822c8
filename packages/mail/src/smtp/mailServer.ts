import type { MailServer, TestMessage } from "../rotation/smtpRotation.ts";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import { smtpClient, unlessAborted } from "./smtpClient.ts";
import { nameSmtpFailure, type SmtpFailure } from "./smtpFailure.ts";
import type { SmtpServer } from "./smtpServer.ts";

/** No server that works takes longer. */
const limits = { dnsTimeout: 10_000, connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 30_000 };

/** SES answers `250 Ok <id>`. */
const idIn = (answer: string): string | undefined => /^250 (?:\d\.\d\.\d )?Ok ([\w.@-]+)$/i.exec(answer.trim())?.[1];

const subject = "Test of OpenEMR's mail";
const text = `OpenEMR Ops sent this message to prove that OpenEMR's mail goes out with its new credentials. Nobody has to answer it.\n`;

/** An SMTP server. Nothing is logged, and nothing is sent before TLS. */
export const mailServer = (address: SmtpServer): MailServer => {
  const name = `${address.host}:${address.port}`;
  const clientOf = (login: SmtpLogin) => smtpClient(address, login, limits);
  const named = async <Result>(login: SmtpLogin, signal: AbortSignal, work: Promise<Result>): Promise<Result> => {
    try {
      return await unlessAborted(work, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw nameSmtpFailure(error as SmtpFailure, name, login.user);
    }
  };
  return {
    name,
    logIn: async (login, signal) => {
      const client = await clientOf(login);
      await named(login, signal, client.verify());
    },
    send: async (login: SmtpLogin, { from, to }: TestMessage, signal: AbortSignal) => {
      const client = await clientOf(login);
      const headers = { "Auto-Submitted": "auto-generated" };
      const sent = await named(login, signal, client.sendMail({ from, to, subject, text, headers }));
      return idIn(sent.response) ?? sent.messageId.replace(/^<|>$/g, "");
    },
  };
};
