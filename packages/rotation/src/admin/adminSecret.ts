import { CredentialSecretError } from "@openemr-ops/core/errors";
import type { SecretVersion, StoredSecret } from "@openemr-ops/core/storedSecret";

/** What the secret of a password holds. Keys that are not ours are kept. */
export interface AdminSecret {
  readonly username: string;
  readonly password: string;
  readonly [key: string]: unknown;
}

/** A text of the secret; never shown. */
export const printAdminSecret = (secret: AdminSecret): string => `${JSON.stringify(secret, null, 2)}\n`;

/**
 * Reads a text of the secret. A text without `username` is that of the configured user.
 *
 * @throws {CredentialSecretError} fatal: names the field, never a value
 */
export const parseAdminSecret = (text: string, called: string, user: string): AdminSecret => {
  const wrong = (problem: string) =>
    new CredentialSecretError(
      `${called}: ${problem}; expected {"username":"${user}","password":"…"}. Correct the secret, or empty it: the next run then makes it`,
    );
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw wrong("the text is not JSON"); // the parser's message quotes the text
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw wrong("the text is not an object");
  const { username = user, password, ...rest } = read as Readonly<Record<string, unknown>>;
  if (username !== user) throw wrong("username is another user than the configured one");
  if (typeof password !== "string") throw wrong(`password is ${password === undefined ? "absent" : "not a text"}`);
  if (password === "") throw wrong("password is empty");
  return { ...rest, username: user, password };
};

/** A text of the secret, read, and its version. */
export interface StoredAdmin {
  readonly secret: AdminSecret;
  readonly version: SecretVersion;
}

/** Reads both texts. @throws {CredentialSecretError} fatal: one is not what it has to be */
export const readAdminTexts = async (
  stored: StoredSecret,
  user: string,
): Promise<{ readonly current?: StoredAdmin; readonly pending?: StoredAdmin }> => {
  const texts: { current?: StoredAdmin; pending?: StoredAdmin } = {};
  for (const version of await stored.versions()) {
    const called = version.current ? stored.field : `${stored.field} (pending)`;
    texts[version.current ? "current" : "pending"] = { secret: parseAdminSecret(version.text, called, user), version };
  }
  return texts;
};
