import { DatabaseAccessDeniedError, PasswordPolicyError, RotationRefusedError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { serverErrorOf } from "@openemr-ops/database/errors";
import {
  type Account,
  accountIn,
  accountsOf,
  createAccount,
  type KnownAccount,
  logIn,
  setPassword,
} from "@openemr-ops/database/users/account";
import {
  type AccountRights,
  allOnSchemas,
  isAdministrator,
  rightsOf,
  statementsBetween,
} from "@openemr-ops/database/users/accountRights";
import type { ServerKind } from "@openemr-ops/database/users/neededRights";

/** The user beside the live one: made like that one, before it takes its place. */
export interface StandbyUser {
  readonly user: string;
  readonly password: string;
  /** How a site reaches the server; its user and password are not looked at. */
  readonly access: DatabaseAccess;
  /** Whose accounts, rights and TLS demand it gets: the first of these users that exists. */
  readonly like: readonly string[];
  /** The server's administrators: neither their rights nor their accounts are copied. */
  readonly administrators: ReadonlySet<string>;
  /** What it needs where there is nothing to copy. */
  readonly schemas: readonly string[];
}

/** As another account has it, or as OpenEMR needs it. */
interface Pattern extends Pick<KnownAccount, "host" | "needsTls" | "plugin"> {
  readonly rights: AccountRights;
}

const patternsFor = async (
  admin: DatabaseConnection,
  { like, administrators, schemas, access }: StandbyUser,
  server: ServerKind,
): Promise<readonly Pattern[]> => {
  const needed = allOnSchemas(schemas, server);
  const anywhere: Pattern = { host: "%", needsTls: access.tls !== "off", plugin: "", rights: needed };
  for (const user of like) {
    if (administrators.has(user)) return [anywhere];
    const accounts = await accountsOf(admin, user);
    const certified = accounts.find(({ needsCertificate }) => needsCertificate);
    if (certified)
      throw new RotationRefusedError(
        `the database user ${accountIn(certified)} logs in with a certificate of its own, which a rotation cannot prove; let it log in without one, such as ALTER USER … REQUIRE SSL`,
      );
    const patterns: Pattern[] = [];
    for (const account of accounts) {
      const rights = await rightsOf(admin, account, server.product);
      if (rights) patterns.push({ ...account, rights: isAdministrator(rights) ? needed : rights });
    }
    if (patterns.length > 0) return patterns;
  }
  return [anywhere];
};

/** Of both products: a password that a rule refuses; one that was used before; no hash is taken. */
const againstRules: readonly number[] = [1819, 3638, 1290];

/** @throws {PasswordPolicyError} refused: the server's own rules refuse a password that ours let through */
const unlessRefused = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!againstRules.includes(serverErrorOf(error))) throw error;
    throw new PasswordPolicyError(
      `the database server's rules refuse a generated password (error ${serverErrorOf(error)}); OpenEMR's user was not changed. Look at the server's password plugins and their variables`,
      { cause: error },
    );
  }
};

/** How a user logs in by a site's way. */
export const loginAs = async (access: DatabaseAccess, user: string, password: string) =>
  logIn({ ...access, user, password: async () => password }, password);

/** The password of every account. The one that logs in from here already is left: a server may refuse a password's second use. */
const setPasswords = async (
  admin: DatabaseConnection,
  accounts: readonly KnownAccount[],
  { access, user, password }: StandbyUser,
  { product }: ServerKind,
): Promise<void> => {
  const login = await loginAs(access, user, password);
  const done = login instanceof DatabaseAccessDeniedError ? undefined : login.host;
  for (const account of accounts)
    if (account.host !== done) await unlessRefused(() => setPassword(admin, account, password, product));
};

/** On MariaDB, who administers the server may still not grant a role. */
const grant = async (admin: DatabaseConnection, statement: string): Promise<void> => {
  try {
    await admin.run(statement);
  } catch (error) {
    if (!(error instanceof DatabaseAccessDeniedError)) throw error;
    throw new DatabaseAccessDeniedError(
      `the administrator may not type ${statement}, and OpenEMR keeps its user; give the administrator that right, with the right to pass it on`,
      { cause: error },
    );
  }
};

/**
 * Makes sure that a user exists with its password, and has the accounts, the rights and the TLS demand of another one: what is
 * missing is added, what is too much is taken away. Safe to repeat.
 *
 * @throws {PasswordPolicyError | RotationRefusedError} refused
 * @throws the `Database…Error` family: the administrator lacks a right
 */
export const bringInStep = async (
  admin: DatabaseConnection,
  standby: StandbyUser,
  server: ServerKind,
): Promise<void> => {
  const { user, password } = standby;
  const { product } = server;
  const patterns = await patternsFor(admin, standby, server);
  const existing = await accountsOf(admin, user);
  await setPasswords(admin, existing, standby, server);
  for (const { host, needsTls, plugin } of patterns)
    if (!existing.some((account) => account.host === host))
      await unlessRefused(() => createAccount(admin, { user, host }, password, { product, needsTls, plugin }));
  // An account for hosts that the other user has none for: it would be taken before the one for all hosts.
  for (const { host, needsTls: has } of await accountsOf(admin, user)) {
    const pattern = patterns.find((one) => one.host === host) ?? patterns[0];
    if (!pattern) continue;
    const account: Account = { user, host };
    if (has !== pattern.needsTls)
      await admin.run(`ALTER USER ${accountIn(account)} REQUIRE ${pattern.needsTls ? "SSL" : "NONE"}`);
    const have = await rightsOf(admin, account, product);
    if (!have) continue;
    for (const statement of statementsBetween(have, pattern.rights, account, product)) await grant(admin, statement);
  }
};
