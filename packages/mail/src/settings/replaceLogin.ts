import { DatabaseFailedError, PasswordPolicyError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { serverErrorOf } from "@openemr-ops/database/errors";
import { type SettingKeys, sealSetting, settingProblem } from "@openemr-ops/openemr/sealedSetting";
import type { Settings } from "@openemr-ops/openemr/settings";
import type { SmtpLogin } from "./mailSettings.ts";
import { mailRows, storedLogin } from "./storedMail.ts";

/** The two rows that hold a login, as they were written. */
export type WrittenLogin = Readonly<Record<"SMTP_USER" | "SMTP_PASS", string>>;

/**
 * Refuses a login that OpenEMR would lose, whatever is stored now.
 *
 * @throws {PasswordPolicyError} refused: the message names the rule, never a value
 */
export const assertKept = (site: string, { user, password }: SmtpLogin): void => {
  for (const [what, text] of Object.entries({ password, user })) {
    const problem = settingProblem(text);
    if (problem)
      throw new PasswordPolicyError(
        `site ${site}: the new SMTP ${what} ${problem}; nothing was changed. Store another one`,
      );
  }
};

/** What two sessions can do to each other with the same rows: a deadlock, a row added first, a row changed since the snapshot. */
const becauseOfOthers = new Set([1020, 1062, 1213]);
const mostAttempts = 4;

/**
 * Replaces user and password in one transaction, if they are still those of `before`.
 *
 * @returns what was written, or `undefined` where somebody else has changed them: then nothing was changed
 * @throws {KeyPairError} damaged: what is stored does not open
 * @throws {DatabaseFailedError} fatal: the table does not keep what is written; then nothing was changed
 */
export const replaceLogin = async (
  database: DatabaseConnection,
  keys: SettingKeys,
  { before, after, newIv }: { readonly before: SmtpLogin; readonly after: SmtpLogin; readonly newIv: () => Buffer },
): Promise<WrittenLogin | undefined> => {
  for (let attempt = 1; ; attempt++) {
    await database.run("START TRANSACTION");
    try {
      const rows = await mailRows(database, keys.site, { locked: true });
      const stored = storedLogin(rows, keys);
      const isBefore = stored.user === before.user && stored.password === before.password;
      const written = { SMTP_USER: after.user, SMTP_PASS: sealSetting(after.password, stored.how, keys, newIv()) };
      if (isBefore) await write(database, rows, keys.site, written);
      await database.run(isBefore ? "COMMIT" : "ROLLBACK");
      return isBefore ? written : undefined;
    } catch (error) {
      await database.run("ROLLBACK").catch(() => {}); // the end of the connection does the same
      if (attempt === mostAttempts || !becauseOfOthers.has(serverErrorOf(error))) throw error;
    }
  }
};

const write = async (
  database: DatabaseConnection,
  rows: Settings,
  site: string,
  written: WrittenLogin,
): Promise<void> => {
  for (const [name, value] of Object.entries(written)) {
    const isThere = rows.has(name);
    await database.run(
      isThere
        ? "UPDATE globals SET gl_value = ? WHERE gl_name = ? AND gl_index = 0"
        : "INSERT INTO globals (gl_value, gl_name, gl_index) VALUES (?, ?, 0)",
      [value, name],
    );
  }
  if (!isStored(await mailRows(database, site), written))
    throw new DatabaseFailedError(
      `site ${site}: table globals does not keep SMTP_USER and SMTP_PASS as they are written, and nothing was changed; look for a trigger or another type of column gl_value`,
    );
};

/** Whether the rows hold this and no other login, byte for byte. */
export const isStored = (rows: Settings, written: WrittenLogin): boolean =>
  Object.entries(written).every(([name, value]) => rows.get(name) === value);
