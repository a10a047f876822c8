import { DatabaseFailedError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { type AuditRow, auditChecksumRow, auditRow } from "@openemr-ops/openemr/auditRow";
import { historyColumns, type LoginUser, secureRow } from "@openemr-ops/openemr/loginUser";
import { opens } from "@openemr-ops/openemr/passwordHash";
import { passwordPolicyIn } from "@openemr-ops/openemr/passwordPolicy";
import type { FoundAdmin } from "./lookAtAdmin.ts";

/** A password and its hash, as they go into the database. */
export interface NewPassword {
  readonly password: string;
  readonly hash: string;
  /** When, in the clocks of the practice. */
  readonly date: string;
}

/**
 * Gives a user another password as OpenEMR does: with the history moved on, the counters of failed logins at zero, and an entry in
 * the audit log, all in one transaction.
 *
 * @returns false where the user's row is no longer as it was found; then nothing was changed
 * @throws {DatabaseFailedError} fatal: the row does not hold what was written; then nothing was changed
 */
export const changePassword = async (
  database: DatabaseConnection,
  found: FoundAdmin,
  next: NewPassword,
): Promise<boolean> => {
  await database.run("START TRANSACTION");
  try {
    const changed = await write(database, found, next);
    await database.run(changed ? "COMMIT" : "ROLLBACK");
    return changed;
  } catch (error) {
    await database.run("ROLLBACK").catch(() => {}); // the end of the connection does the same
    throw error;
  }
};

const write = async (
  database: DatabaseConnection,
  found: FoundAdmin,
  { password, hash, date }: NewPassword,
): Promise<boolean> => {
  const { user } = found;
  const now = await secureRow(database, user.id, user.columns, { locked: true });
  if (!now || !isAsFound(now, user)) return false;

  const { sql, values } = assignments(found, hash, date);
  await database.run(`UPDATE users_secure SET ${sql} WHERE id = ? AND BINARY username = ? AND BINARY password = ?`, [
    ...values,
    user.id,
    user.username,
    user.hash,
  ]);
  if (found.audited) await writeAudit(database, found, date);

  const written = await secureRow(database, user.id, user.columns);
  if (written?.hash !== hash || (await opens(password, written.hash)) !== true)
    throw new DatabaseFailedError(
      `table users_secure does not keep a new hash as it is written, and nothing was changed; look for a trigger or another type of column password`,
    );
  return true;
};

const isAsFound = (
  now: Pick<LoginUser, "username" | "hash" | "history">,
  found: Pick<LoginUser, "username" | "hash" | "history">,
): boolean =>
  now.username === found.username &&
  now.hash === found.hash &&
  now.history.every((hash, index) => hash === found.history[index]);

/** What each column gets; releases have more or fewer of them. */
const assignments = ({ user, settings }: FoundAdmin, hash: string, date: string) => {
  const names = historyColumns(user.columns);
  const moved = passwordPolicyIn(settings).history > 0 ? [user.hash, ...user.history] : user.history;
  const history = names.map((name, index) => [name, moved[index] ?? null] as const);
  const all: readonly (readonly [column: string, value: string | number | null])[] = [
    ["password", hash],
    ["last_update_password", date],
    ...history,
    ["login_fail_counter", 0],
    ["last_login_fail", null],
    ["auto_block_emailed", 0],
  ];
  const present = all.filter(([column]) => user.columns.has(column));
  return {
    sql: present.map(([column, value]) => `\`${column}\` = ${value === null ? "NULL" : "?"}`).join(", "),
    values: present.flatMap(([, value]) => (value === null ? [] : [value])),
  };
};

const writeAudit = async (database: DatabaseConnection, { user }: FoundAdmin, date: string): Promise<void> => {
  const row = auditRow({
    date,
    event: "password-change",
    category: "password-change",
    user: user.username,
    groupname: user.group ?? "",
    comment: `Password of user id "${user.id}" rotated by OpenEMR Ops`,
    success: true,
  });
  await insert(database, "log", row);
  const [last] = await database.rows("SELECT LAST_INSERT_ID() AS id");
  await insert(database, "log_comment_encrypt", auditChecksumRow(row, last?.id ?? ""));
};

const insert = async (database: DatabaseConnection, table: string, row: AuditRow): Promise<void> => {
  const columns = Object.entries(row);
  await database.run(
    `INSERT INTO \`${table}\` (${columns.map(([name]) => `\`${name}\``).join(", ")}) VALUES (${columns.map(([, value]) => (value === null ? "NULL" : "?")).join(", ")})`,
    columns.flatMap(([, value]) => (value === null ? [] : [value])),
  );
};
