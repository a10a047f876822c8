import type { SmtpLogin } from "../settings/mailSettings.ts";
import { sesPassword } from "../smtp/sesPassword.ts";
import type { Replacing } from "./decideSmtp.ts";
import { goneKeys } from "./goneKeys.ts";
import { writeAccessKeySecret } from "./inStep.ts";
import type { SmtpRotation } from "./smtpRotation.ts";
import { printSmtpSecret, readSmtpTexts } from "./smtpSecret.ts";

/** Passwords of the regions beside the first. */
const otherPasswords = (key: { readonly id: string; readonly secret: string }, regions: readonly string[]) =>
  regions.length === 0
    ? {}
    : { passwords: Object.fromEntries(regions.map((region) => [region, sesPassword(key, region)])) };

/**
 * Announces a new key, makes it, derives its passwords and writes them down as the pending text. A stop before the last step
 * leaves a key that the announcement tells from others.
 */
export const makeKey = async (r: SmtpRotation, inUse: SmtpLogin): Promise<Replacing> => {
  const [region, ...otherRegions] = r.regions;
  const texts = await readSmtpTexts(r.secret);
  const left = texts.pending?.secret;
  // The text that names a key of a switch that went back is about to be replaced, and IAM lists a key some seconds late.
  if (left?.retiring && left.accessKeyId && left.accessKeyId !== inUse.user)
    await r.accessKeys.remove(left.accessKeyId);
  const known = (await r.accessKeys.list()).map(({ id }) => id);
  const { creating: _creating, passwords, ...found } = texts.current?.secret ?? { others: {} };
  const before = { ...found, retired: goneKeys(texts, known) };
  const asFound = { ...before, accessKeyId: inUse.user, password: inUse.password, region };
  const keep = passwords ? { passwords } : {};
  const since = r.now().toISOString();
  await r.secret.writePending(printSmtpSecret({ ...asFound, ...keep, creating: { since, known } }));

  r.signal.throwIfAborted();
  const key = await r.accessKeys.create();
  await writeAccessKeySecret(r, key.secret);
  const change: Replacing = {
    ...before,
    accessKeyId: key.id,
    password: sesPassword(key, region),
    ...otherPasswords(key, otherRegions),
    createdAt: key.created.toISOString(),
    region,
    retiring: { accessKeyId: inUse.user, password: inUse.password, ...keep },
  };
  await r.secret.writePending(printSmtpSecret(change));
  return change;
};
