import type { NotificationSettings } from "@openemr-ops/core/config/settings";
import { noticeServer } from "@openemr-ops/mail/smtp/noticeServer";
import { secretUrl } from "@openemr-ops/notifications/httpRequest";
import { openSecrets } from "./openSecrets.ts";
import type { Place } from "./program.ts";
import { type SecretFinding, trySecret } from "./trySecret.ts";

const limitMilliseconds = 20_000;

/** Tries the secrets of e-mail and of pings. Sends no message and no ping. */
export const checkChannels = async (
  { email, ping = [] }: NotificationSettings["notifications"],
  { environment }: Pick<Place, "environment">,
): Promise<readonly SecretFinding[]> => {
  const read = openSecrets(environment);
  const findings: SecretFinding[] = [];
  if (email?.login) {
    const { user, password } = email.login;
    const opens = `the SMTP server ${email.host}:${email.port} for notifications`;
    findings.push(
      await trySecret(password, opens, async () => {
        const server = noticeServer(email, { user, password: await read(password) });
        await server.check(AbortSignal.timeout(limitMilliseconds));
        return `logged in as ${user}`;
      }),
    );
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
