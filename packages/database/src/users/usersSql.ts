import mysql from "mysql2";
import { accountIn, accountWithPassword } from "./account.ts";
import type { NeededRight, ServerKind } from "./neededRights.ts";

/** A user as an administrator is to make it. */
export interface UserToMake {
  readonly user: string;
  readonly password: string;
  readonly needsTls: boolean;
  readonly rights: (schema: string, server: ServerKind) => readonly NeededRight[];
}

/**
 * Statements that make users with their rights, for an administrator who runs them by hand. Running them twice changes nothing. For
 * MariaDB they contain the form in which it keeps a password, for MySQL the password itself.
 */
export const usersSql = (users: readonly UserToMake[], schema: string, server: ServerKind): string => {
  const lines = users.flatMap(({ user, password, needsTls, rights }) => {
    const account = { user, host: "%" };
    const [definition, value] = accountWithPassword(account, password, { product: server.product, needsTls });
    return [
      `CREATE USER IF NOT EXISTS ${mysql.format(definition, [value])};`,
      ...rights(schema, server).map(
        ({ rights: list, on }) => `GRANT ${list.join(", ")} ON ${on} TO ${accountIn(account)};`,
      ),
    ];
  });
  return `${lines.join("\n")}\n`;
};
