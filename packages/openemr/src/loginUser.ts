import { RotationRefusedError } from "@openemr-ops/core/errors";
import { baseTable, columnsOf, type SqlReader } from "./sqlReader.ts";

/** A person who logs in to OpenEMR with a password of its own. Holds hashes: never log or store it. */
export interface LoginUser {
  readonly id: string;
  readonly username: string;
  /** Its group, without which OpenEMR lets nobody in. */
  readonly group: string | undefined;
  readonly hash: string;
  /** Hashes of earlier passwords, the latest first; as many as the release keeps. */
  readonly history: readonly (string | null)[];
  /** Of table `users_secure`: releases differ. */
  readonly columns: ReadonlySet<string>;
}

/** Columns of earlier hashes, the latest first. */
export const historyColumns = (columns: ReadonlySet<string>): readonly string[] =>
  [1, 2, 3, 4].map((number) => `password_history${number}`).filter((name) => columns.has(name));

/** A row of `users_secure` by its number, as text; `locked` keeps others from changing it until the transaction ends. */
export const secureRow = async (
  database: SqlReader,
  id: string,
  columns: ReadonlySet<string>,
  { locked = false } = {},
): Promise<Pick<LoginUser, "username" | "hash" | "history"> | undefined> => {
  const names = historyColumns(columns);
  const [row] = await database.rows(
    `SELECT username, password, ${names.join(", ") || "NULL"} FROM ${baseTable("users_secure")} WHERE id = ?${locked ? " FOR UPDATE" : ""}`,
    [id],
  );
  return (
    row && { username: row.username ?? "", hash: row.password ?? "", history: names.map((name) => row[name] ?? null) }
  );
};

/**
 * Finds a user as OpenEMR's login does: by a name that is the same byte for byte in `users` and `users_secure`.
 *
 * @throws {RotationRefusedError} refused: there is no such user, or it cannot log in with a password of its own
 */
export const findLoginUser = async (database: SqlReader, username: string): Promise<LoginUser> => {
  const refuse = (why: string, next: string) =>
    new RotationRefusedError(`the password of OpenEMR's user ${username} cannot be rotated: ${why}; ${next}`);
  const columns = await columnsOf(database, "users_secure");
  if (!columns.has("password") || (await columnsOf(database, "users")).size === 0)
    throw refuse("there are no tables users and users_secure", "compare the schema's name in sqlconf.php");

  const users = await database.rows(
    `SELECT id, username, active FROM ${baseTable("users")} WHERE username = ? ORDER BY id LIMIT 100`,
    [username],
  );
  const [user, ...more] = users.filter((row) => row.username === username);
  if (!user) {
    const [near] = users;
    const why = near ? `OpenEMR writes it ${near.username}` : "there is no such user";
    throw refuse(why, "correct the name in the configuration");
  }
  if (more.length > 0) throw refuse("several users have this name", "give the others another name");
  if (user.active !== "1") throw refuse("the user is not active", "activate it in OpenEMR, or name another user");

  const id = user.id ?? "";
  const secure = await secureRow(database, id, columns);
  if (!secure) throw refuse("it has no row in users_secure", "set its password in OpenEMR once");
  if (secure.username !== username)
    throw refuse(`users_secure writes it ${secure.username}, and OpenEMR lets nobody in`, "correct the name there");
  const named = await database.rows(
    `SELECT id, username FROM ${baseTable("users_secure")} WHERE username = ? LIMIT 100`,
    [username],
  );
  if (named.some((row) => row.username === username && row.id !== id))
    throw refuse("users_secure has this name more than once", "remove the row whose number is not in users");
  if (columns.has("salt")) {
    const [row] = await database.rows(`SELECT salt FROM ${baseTable("users_secure")} WHERE id = ?`, [id]);
    if (row?.salt) throw refuse("its hash is of a release that kept salts apart", "log in once, then rotate");
  }
  return { id, columns, ...secure, group: await groupOf(database, username) };
};

const groupOf = async (database: SqlReader, username: string): Promise<string | undefined> => {
  if ((await columnsOf(database, "groups")).size === 0) return undefined;
  const rows = await database.rows(
    `SELECT SUBSTR(name, 1, 255) AS name, SUBSTR(user, 1, 255) AS user FROM ${baseTable("groups")} WHERE user = ? ORDER BY id LIMIT 100`,
    [username],
  );
  return rows.find(({ user }) => user === username)?.name ?? undefined;
};
