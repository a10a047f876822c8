import { setTimeout } from "node:timers/promises";
import type { NotificationSettings } from "@openemr-ops/core/config/settings";
import { noticeServer } from "@openemr-ops/mail/smtp/noticeServer";
import { checkSlack } from "@openemr-ops/notifications/checkSlack";
import { type HttpTransport, httpTransport, secretUrl } from "@openemr-ops/notifications/httpRequest";
import { openSecrets } from "./openSecrets.ts";
import type { Place } from "./program.ts";
import { slackAccess, slackSecret } from "./slackAccess.ts";
import { type SecretFinding, trySecret } from "./trySecret.ts";

/** For each channel, retries included. */
const limitSeconds = 20;

/** Stops trying, and waiting for the next try, when somebody stops the program. */
const stoppable = (signal: AbortSignal): HttpTransport => ({
  ...httpTransport(limitSeconds),
  fetch: (url, init) =>
    fetch(url, { ...init, signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]) }),
  sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
});

/**
 * Tries the secrets of channels. Sends no message and no ping.
 *
 * @throws the signal's reason, when it is aborted
 */
export const checkChannels = async (
  { slack, email, ping = [] }: NotificationSettings["notifications"],
  { environment, signal }: Pick<Place, "environment" | "signal">,
): Promise<readonly SecretFinding[]> => {
  const read = openSecrets(environment);
  const findings: SecretFinding[] = [];
  if (slack) {
    const opens = slack.kind === "webhook" ? "Slack's webhook" : "Slack";
    const open = async () => checkSlack(await slackAccess(slack, { environment }), stoppable(signal));
    findings.push(await trySecret(slackSecret(slack), opens, open));
    signal.throwIfAborted();
  }
  if (email?.login) {
    const { user, password } = email.login;
    const opens = `the SMTP server ${email.host}:${email.port} for notifications`;
    findings.push(
      await trySecret(password, opens, async () => {
        const server = noticeServer(email, { user, password: await read(password) });
        await server.check(AbortSignal.any([signal, AbortSignal.timeout(limitSeconds * 1000)]));
        return `logged in as ${user}`;
      }),
    );
    signal.throwIfAborted();
  }
  const references = ping.flatMap(({ address: { kind: _, ...addresses } }) => Object.values(addresses));
  for (const reference of references)
    findings.push(
      await trySecret(reference, "a check of a monitor", async () => {
        secretUrl(await read(reference), "what the secret contains", reference.field, "private network");
        return "its form alone was checked: nothing was sent";
      }),
    );
  return findings;
};
