import { createHash } from "node:crypto";
import { DatabaseAccessDeniedError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "../access.ts";
import { connect, type DatabaseConnection } from "../connection.ts";
import { effectiveGrants } from "../grants.ts";
import { quoteName } from "../identifiers.ts";
import { serverOf } from "../sameServer.ts";
import type { ServerKind } from "./neededRights.ts";

/** One account of a user: MariaDB and MySQL tell users apart by the host that they come from, too. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/** As GRANT writes it. */
export const accountIn = ({ user, host }: Account): string => `${quoteName(user)}@${quoteName(host)}`;

export const serverKind = async (connection: DatabaseConnection): Promise<ServerKind> => {
  const [row] = await connection.rows("SELECT VERSION() AS version, @@version_comment AS comment");
  const { version = "", comment = "" } = row ?? {};
  const product = /mariadb/i.test(`${version} ${comment}`) ? "MariaDB" : "MySQL";
  const [partial] = await connection.rows("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'");
  return { product, version: version ?? "", literal: partial?.Value === "ON" };
};

/** An account as the server's administrator sees it. */
export interface KnownAccount extends Account {
  /** It logs in by encrypted connections alone. */
  readonly needsTls: boolean;
  /** It logs in with a certificate of its own alone. */
  readonly needsCertificate: boolean;
  /** How the server checks its password, such as `caching_sha2_password`. */
  readonly plugin: string;
}

/** The accounts of a user, of any host. */
export const accountsOf = async (admin: DatabaseConnection, user: string): Promise<readonly KnownAccount[]> => {
  const rows = await admin.rows(
    "SELECT Host AS host, CONCAT(ssl_type, '') AS tls, plugin FROM mysql.user WHERE User = ? ORDER BY Host",
    [user],
  );
  return rows.map(({ host, tls, plugin }) => ({
    user,
    host: host ?? "",
    needsTls: (tls ?? "") !== "",
    needsCertificate: ["X509", "SPECIFIED"].includes(tls ?? ""),
    plugin: plugin ?? "",
  }));
};

/** MariaDB's form of a password for its own login. Source: MariaDB knowledge base, "Authentication plugin: mysql_native_password". */
const nativeHash = (password: string): string => {
  const once = createHash("sha1").update(password, "utf8").digest();
  return `*${createHash("sha1").update(once).digest("hex").toUpperCase()}`;
};

export interface AccountOptions {
  readonly product: ServerKind["product"];
  readonly needsTls: boolean;
  readonly plugin?: string | undefined;
}

/** What follows CREATE USER; `?` is the value, which is the password or what is made of it. */
export const accountWithPassword = (
  account: Account,
  password: string,
  { product, needsTls, plugin }: AccountOptions,
): readonly [definition: string, value: string] => {
  const [by, value] = identified(product, password, plugin);
  return [`${accountIn(account)} IDENTIFIED ${by}${needsTls ? " REQUIRE SSL" : ""}`, value];
};

/**
 * Creates an account without a right. MySQL leaves passwords out of its logs; MariaDB writes down each statement as it is, and
 * gets the password in the form in which it keeps it.
 */
export const createAccount = async (
  admin: DatabaseConnection,
  account: Account,
  password: string,
  options: AccountOptions,
): Promise<void> => {
  const [definition, value] = accountWithPassword(account, password, options);
  await admin.run(`CREATE USER ${definition}`, [value]);
};

/** Gives an account another password; what it may do, and the TLS that it needs, stay. */
export const setPassword = async (
  admin: DatabaseConnection,
  account: Account,
  password: string,
  product: ServerKind["product"],
): Promise<void> => {
  const [by, value] = identified(product, password);
  await admin.run(`ALTER USER ${accountIn(account)} IDENTIFIED ${by}`, [value]);
};

/** MySQL's ways to check a password that clients take part in; any other is a matter of the one account. */
const passwordPlugins: readonly string[] = ["caching_sha2_password", "mysql_native_password", "sha256_password"];

const identified = (
  product: ServerKind["product"],
  password: string,
  plugin = "",
): readonly [by: string, value: string] => {
  if (product === "MariaDB") return ["BY PASSWORD ?", nativeHash(password)];
  return [passwordPlugins.includes(plugin) ? `WITH ${plugin} BY ?` : "BY ?", password];
};

/** What a login found. */
export interface LoggedIn extends Account {
  /** Which server it met; see `serverOf`. */
  readonly server: string;
  /** What it may do, with its active roles; see `effectiveGrants`. */
  readonly grants: readonly string[];
}

/**
 * Logs in as a user with a password.
 *
 * @returns an error when the server refuses, or takes the login for that of another user, such as the one without a name
 * @throws the rest of the `Database…Error` family
 */
export const logIn = async (
  access: DatabaseAccess,
  password: string,
): Promise<LoggedIn | DatabaseAccessDeniedError> => {
  try {
    // Every user reaches this schema.
    await using connection = await connect({ ...access, password: async () => password }, "information_schema");
    const [row] = await connection.rows("SELECT CURRENT_USER() AS account");
    const account = row?.account ?? "";
    const at = account.lastIndexOf("@");
    const [user, host] = [account.slice(0, at), account.slice(at + 1)];
    if (user === access.user)
      return { user, host, server: await serverOf(connection), grants: await effectiveGrants(connection) };
    return new DatabaseAccessDeniedError(`the server takes the login of ${access.user} for that of ${account}`);
  } catch (error) {
    if (error instanceof DatabaseAccessDeniedError) return error;
    throw error;
  }
};
