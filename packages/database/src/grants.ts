import type { DatabaseConnection } from "./connection.ts";
import { quoteName, unquoteName } from "./identifiers.ts";

/**
 * What SHOW GRANTS says of our user, with what its active roles hold. MariaDB says both; MySQL names the roles, and says
 * what they hold when asked for them by name. A role that is not active gives no right.
 */
export const effectiveGrants = async (connection: DatabaseConnection): Promise<readonly string[]> => {
  const lines = async (using = "") =>
    (await connection.rows(`SHOW GRANTS${using}`)).map((row) => Object.values(row)[0] ?? "");
  const [server] = await connection.rows("SELECT CONCAT(VERSION(), ' ', @@version_comment) AS version");
  if (/mariadb/i.test(server?.version ?? "")) return lines();
  const [active] = await connection.rows("SELECT CURRENT_ROLE() AS roles"); // quoted as accounts are
  const roles = active?.roles ?? "NONE";
  return lines(roles === "NONE" ? "" : ` FOR CURRENT_USER() USING ${roles}`);
};

/** What SHOW GRANTS says of our user with one of its roles. */
export interface RoleGrants {
  /** As GRANT writes it. */
  readonly role: string;
  readonly lines: readonly string[];
}

const roleOfMySql = /`(?:[^`]|``)*`@`(?:[^`]|``)*`/g;

/**
 * What SHOW GRANTS says of our user without any role, and with each that it has, active or not: a session may take any.
 * Roles that a role has are in its lines. The session has its roles again afterwards.
 */
export const grantsWithRoles = async (
  connection: DatabaseConnection,
  product: "MariaDB" | "MySQL",
): Promise<{ readonly own: readonly string[]; readonly roles: readonly RoleGrants[] }> => {
  const onMySql = product === "MySQL";
  const lines = async (whose = "") =>
    (await connection.rows(`SHOW GRANTS${whose}`)).map((row) => Object.values(row)[0] ?? "");
  const [active] = await connection.rows("SELECT CURRENT_ROLE() AS role");
  try {
    await connection.run("SET ROLE NONE");
    const own = await lines();
    const found = onMySql
      ? own.flatMap((line) => (/^GRANT (`.+) TO `/s.exec(line)?.[1] ?? "").match(roleOfMySql) ?? [])
      : (
          await connection.rows(
            "SELECT ROLE_NAME AS role FROM information_schema.APPLICABLE_ROLES WHERE GRANTEE = CURRENT_USER()",
          )
        ).map(({ role }) => quoteName(role ?? ""));
    const roles: RoleGrants[] = [];
    for (const role of found) {
      if (!onMySql) await connection.run(`SET ROLE ${role}`); // only then it says what the role has
      roles.push({ role, lines: await lines(onMySql ? ` FOR CURRENT_USER() USING ${role}` : "") });
    }
    return { own, roles };
  } finally {
    const role = active?.role ?? "NONE";
    await connection.run(`SET ROLE ${onMySql || role === "NONE" ? role : quoteName(role)}`);
  }
};

/** `%` and `_` of a GRANT's schema pattern stand for others, after `\` for themselves. */
const matches = (pattern: string, schema: string): boolean => {
  const source = pattern.replace(/\\(.)|(%)|(_)|([.*+?^${}()|[\]\\])/gs, (_, itself, many, one, special) => {
    if (many) return ".*";
    if (one) return ".";
    return (itself ?? special).replace(/[.*+?^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source}$`, "s").test(schema);
};

const onSchemas = /^(GRANT|REVOKE) (.+?) ON (\*\.\*|`(?:[^`]|``)*`\.\*) (?:TO|FROM) /s;

/**
 * Rights that cover the whole of a schema, and those on the server itself.
 *
 * @param grants as of `effectiveGrants`
 * @param literal names of schemas in grants are no patterns: so it is where MySQL's `partial_revokes` is on
 */
export const rightsOn = (
  grants: readonly string[],
  schema: string,
  { literal = false }: { readonly literal?: boolean } = {},
): ReadonlySet<string> => {
  const rights = new Set<string>();
  for (const grant of grants) {
    const [, verb, list = "", on = ""] = onSchemas.exec(grant) ?? [];
    const name = on === "*.*" ? undefined : (unquoteName(on) ?? "");
    if (!verb || !(name === undefined || (literal ? name === schema : matches(name, schema)))) continue;
    for (const right of list.split(", ")) {
      if (verb === "GRANT") rights.add(right);
      else rights.delete(right);
    }
  }
  return rights;
};
