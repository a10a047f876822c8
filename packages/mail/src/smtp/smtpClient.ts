import { readFile } from "node:fs/promises";
import { onThisMachine } from "@openemr-ops/core/errors";
import { createTransport } from "nodemailer";
import type { SmtpLogin } from "../settings/mailSettings.ts";

/** Milliseconds. Without limits a wrong pair of port and TLS waits for ever. */
export interface SmtpLimits {
  readonly dnsTimeout: number;
  readonly connectionTimeout: number;
  readonly greetingTimeout: number;
  readonly socketTimeout: number;
}

export interface SmtpAddress {
  readonly host: string;
  readonly port: number;
  /** `starttls`: TLS is required before anything is shown to the server. `none`: nothing is encrypted. */
  readonly tls: "starttls" | "implicit" | "none";
  readonly caFile?: string;
}

/**
 * A client of an SMTP server. Nothing is logged.
 *
 * @throws {LocalSystemError} fatal: `caFile` cannot be read
 */
export const smtpClient = async (
  { host, port, tls, caFile }: SmtpAddress,
  login: SmtpLogin | undefined,
  limits: SmtpLimits,
) => {
  const authority =
    caFile && (await onThisMachine("reading the SMTP server's authority", caFile, () => readFile(caFile)));
  return createTransport({
    ...limits,
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(login ? { auth: { user: login.user, pass: login.password } } : {}),
    tls: authority ? { ca: authority } : {},
    logger: false,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
};

/** What the library may do, stopped early: its connections end by themselves within the limits. */
export const unlessAborted = async <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> => {
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
