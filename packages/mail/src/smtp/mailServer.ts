import { readFile } from "node:fs/promises";
import { onThisMachine } from "@openemr-ops/core/errors";
import { createTransport } from "nodemailer";
import type { MailServer, TestMessage } from "../rotation/smtpRotation.ts";
import type { SmtpLogin } from "../settings/mailSettings.ts";
import { nameSmtpFailure, type SmtpFailure } from "./smtpFailure.ts";
import type { SmtpServer } from "./smtpServer.ts";

/** No server that works takes longer; without limits a wrong pair of port and TLS waits for ever. */
const limits = { dnsTimeout: 10_000, connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 30_000 };

/** SES answers `250 Ok <id>`. */
const idIn = (answer: string): string | undefined => /^250 (?:\d\.\d\.\d )?Ok ([\w.@-]+)$/i.exec(answer.trim())?.[1];

const subject = "Test of OpenEMR's mail";
const text = `OpenEMR Ops sent this message to prove that OpenEMR's mail goes out with its new credentials. Nobody has to answer it.\n`;

/** What the library may do, stopped early: its connections end by themselves within the limits. */
const unlessAborted = async <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> => {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
};

/** An SMTP server. Nothing is logged, and nothing is sent before TLS. */
export const mailServer = ({ host, port, tls, caFile }: SmtpServer): MailServer => {
  const name = `${host}:${port}`;
  const clientOf = async ({ user, password }: SmtpLogin) => {
    const authority =
      caFile && (await onThisMachine("reading the SMTP server's authority", caFile, () => readFile(caFile)));
    return createTransport({
      ...limits,
      host,
      port,
      secure: tls === "implicit",
      requireTLS: tls === "starttls",
      auth: { user, pass: password },
      tls: authority ? { ca: authority } : {},
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  };
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
