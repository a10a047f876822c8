import { type OpsError, toOpsError } from "@openemr-ops/core/errors";
import type { MailServer, TestMessage } from "./rotation/smtpRotation.ts";
import type { MailSettings, SiteMail } from "./settings/mailSettings.ts";

/** The result of trying a site's own login. Holds no password. */
export interface TestedMail {
  readonly site: string;
  readonly ok: boolean;
  /** How OpenEMR sends; absent where its settings could not be read. */
  readonly method?: string;
  /** The user that OpenEMR logs in as. */
  readonly user?: string;
  /** The server that OpenEMR sends through, by its own settings. */
  readonly openemr?: string;
  /** That the server gave the test message. */
  readonly messageId?: string;
  /** What OpenEMR's settings have that will not work, or that the configuration has otherwise. */
  readonly notes: readonly string[];
  readonly error?: { readonly name: string; readonly message: string };
}

export interface MailTest {
  readonly sites: readonly MailSettings[];
  readonly server: MailServer;
  readonly message: TestMessage;
  readonly signal: AbortSignal;
}

const withTls = new Set([465, 2465]);

/** PHP waits for ever where a port speaks TLS at once and OpenEMR waits for plain text, or the other way round. */
const notesOn = ({ host, port, secure }: SiteMail, server: string): readonly string[] => [
  ...(`${host}:${port}` === server ? [] : [`OpenEMR sends through ${host}:${port}, and the test went to ${server}`]),
  ...(withTls.has(port) && secure !== "ssl" ? [`SMTP_SECURE has to be ssl on port ${port}`] : []),
  ...(!withTls.has(port) && secure === "ssl" ? [`SMTP_SECURE has to be tls on port ${port}`] : []),
];

const testSite = async (settings: MailSettings, { server, message, signal }: MailTest): Promise<TestedMail> => {
  const { site } = settings;
  const failed = ({ name, message: text }: OpsError, more: Partial<TestedMail> = {}): TestedMail => ({
    site,
    ok: false,
    notes: [],
    ...more,
    error: { name, message: text },
  });
  let mail: SiteMail;
  try {
    mail = await settings.read();
  } catch (error) {
    signal.throwIfAborted();
    return failed(toOpsError(error));
  }
  const { method, user, password } = mail;
  if (method !== "SMTP") return { site, ok: true, method, notes: ["does not send by SMTP: there is no login to try"] };
  const found = { method, user, openemr: `${mail.host}:${mail.port}`, notes: notesOn(mail, server.name) };
  if (user === "") return { site, ok: true, ...found, notes: [...found.notes, "sends without a login"] };
  try {
    return { site, ok: true, ...found, messageId: await server.send({ user, password }, message, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return failed(toOpsError(error), found);
  }
};

/** Sends a test message with the login that each site's database holds. Nothing is changed. One site's failure stops no other. */
export const testMail = async (test: MailTest): Promise<readonly TestedMail[]> => {
  const tested: TestedMail[] = [];
  for (const settings of test.sites) tested.push(await testSite(settings, test));
  return tested;
};
