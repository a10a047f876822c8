import {
  DatabaseAccessDeniedError,
  DatabaseMissingError,
  DatabaseUnavailableError,
  DatabaseUserNotOursError,
  InvalidInputError,
} from "@openemr-ops/core/errors";
import type { PasswordVersion, StoredPassword } from "@openemr-ops/core/storedPassword";
import type { DatabaseAccess } from "../access.ts";
import { connect, type DatabaseConnection } from "../connection.ts";
import { assertWritable } from "../writable.ts";
import { type Account, accountIn, accountsOf, createAccount, type LoggedIn, logIn, serverKind } from "./account.ts";
import type { NeededRight, ServerKind } from "./neededRights.ts";

/** A database user as the configuration wants it. */
export interface WantedUser {
  /** What it is for, in words: `dump user`. */
  readonly role: string;
  /** Dotted path of the setting with its name. */
  readonly field: string;
  readonly user: string;
  readonly secret: StoredPassword;
  /** Where its jobs log in; the administrator makes it on the writer. */
  readonly access: DatabaseAccess;
  readonly rights: (schema: string, server: ServerKind) => readonly NeededRight[];
}

/** A user that is never touched, and whose it is, in words. */
export interface ForbiddenUser {
  readonly user: string;
  readonly whose: string;
}

/** What is done to one user, in this order. */
export type UserStep = "storePassword" | "createUser" | "requireTls" | "grantRights" | "makePasswordCurrent";

/** What was done, or would be done, to one user. No steps: all is in order. */
export interface PreparedUser {
  readonly role: string;
  readonly user: string;
  readonly steps: readonly UserStep[];
  /** What the user's jobs do without, because the administrator may not grant it. */
  readonly lacks: readonly string[];
}

export interface UsersToPrepare {
  /** Who may create users, on the writer. */
  readonly administrator: DatabaseAccess;
  readonly users: readonly WantedUser[];
  readonly forbidden: readonly ForbiddenUser[];
  readonly newPassword: () => string;
}

/** One user as it is found. */
interface Found {
  readonly wanted: WantedUser;
  readonly versions: readonly PasswordVersion[];
  /** Present when the user exists; then a stored password logs in. */
  readonly login?: LoggedIn & { readonly by: PasswordVersion; readonly needsTls: boolean };
}

/** Shorter passwords can be guessed: nobody is made with one. */
const shortestPassword = 12;

const assertAllowed = ({ users, forbidden }: UsersToPrepare): void => {
  for (const { field, user } of users) {
    const taken = forbidden.find((one) => one.user === user);
    if (taken)
      throw new DatabaseUserNotOursError(
        `the database user ${user} is ${taken.whose}, and nothing was changed; set another name in ${field}`,
      );
  }
};

/** The writer, where the administrator makes the users. */
const onWriter = ({ access }: WantedUser, { host, port, socket }: DatabaseAccess): DatabaseAccess => ({
  ...access,
  host,
  port,
  socket,
});

const find = async (admin: DatabaseConnection, administrator: DatabaseAccess, wanted: WantedUser): Promise<Found> => {
  const { field, user, secret } = wanted;
  const versions = await secret.versions();
  const accounts = await accountsOf(admin, user);
  if (accounts.length === 0) {
    const [first] = versions;
    if (first && first.password.length < shortestPassword)
      throw new InvalidInputError([
        {
          path: secret.field,
          message: `the secret has fewer than ${shortestPassword} characters, and the user does not exist yet; store a longer password, or name an empty secret`,
        },
      ]);
    return { wanted, versions };
  }
  let refusal: DatabaseAccessDeniedError | undefined;
  for (const by of versions) {
    const login = await logIn(onWriter(wanted, administrator), by.password);
    if (login instanceof DatabaseAccessDeniedError) {
      refusal ??= login;
      continue;
    }
    const needsTls = accounts.some(({ host, needsTls: needs }) => host === login.host && needs);
    return { wanted, versions, login: { ...login, by, needsTls } };
  }
  const why = refusal ? ` (${refusal.message})` : ", for the secret is empty";
  throw new DatabaseUserNotOursError(
    `the database user ${user} exists, and what ${secret.field} stores does not log in${why}; nothing was changed. Store that user's password, or set another name in ${field}`,
    { cause: refusal },
  );
};

const missing = (rights: readonly NeededRight[], grants: readonly string[] = []): readonly NeededRight[] =>
  rights.filter((right) => right.lacking(grants).length > 0);

const decide = ({ wanted, versions, login }: Found, rights: readonly NeededRight[]): readonly UserStep[] => {
  const used = login ? login.by : versions[0];
  const needsTls = wanted.access.tls !== "off";
  const when: Readonly<Record<UserStep, boolean>> = {
    storePassword: used === undefined,
    createUser: login === undefined,
    requireTls: login !== undefined && needsTls && !login.needsTls,
    grantRights: missing(rights, login?.grants).length > 0,
    makePasswordCurrent: used?.current !== true,
  };
  return Object.entries(when).flatMap(([step, due]) => (due ? [step as UserStep] : []));
};

/** Grants what is missing. @returns what the user does without, because the administrator may not grant it */
const grant = async (
  admin: DatabaseConnection,
  account: Account,
  rights: readonly NeededRight[],
): Promise<readonly string[]> => {
  const lacks: string[] = [];
  for (const { rights: list, on, otherwise } of rights) {
    try {
      await admin.run(`GRANT ${list.join(", ")} ON ${on} TO ${accountIn(account)}`);
    } catch (error) {
      if (otherwise === undefined || !(error instanceof DatabaseAccessDeniedError)) throw error;
      lacks.push(otherwise);
    }
  }
  return lacks;
};

/** Logs in where the jobs do. A reader may learn of a new user a moment later than the writer. */
const tryLogin = async ({ wanted, login }: Found, by: PasswordVersion): Promise<void> => {
  const { access, user, secret } = wanted;
  const found = await logIn(access, by.password);
  if (!(found instanceof DatabaseAccessDeniedError)) return;
  const where = `${access.host}:${access.port}`;
  if (login)
    throw new DatabaseAccessDeniedError(`${found.message}; compare ${where} with the writer`, { cause: found });
  throw new DatabaseUnavailableError(
    `the new database user ${user} cannot log in on ${where} yet; its password is in the secret of ${secret.field}. Start the job again`,
    { cause: found },
  );
};

const apply = async (
  admin: DatabaseConnection,
  found: Found,
  server: ServerKind,
  { administrator, newPassword }: UsersToPrepare,
): Promise<PreparedUser> => {
  const { wanted, login, versions } = found;
  const rights = wanted.rights(administrator.name, server);
  const { role, user, secret, access } = wanted;
  const steps = decide(found, rights);
  const account: Account = login ?? { user, host: "%" };
  const by = login?.by ?? versions[0] ?? (await secret.writePending(newPassword()));
  if (steps.includes("createUser"))
    await createAccount(admin, account, by.password, { product: server.product, needsTls: access.tls !== "off" });
  if (steps.includes("requireTls")) await admin.run(`ALTER USER ${accountIn(account)} REQUIRE SSL`);
  const lacks = await grant(admin, account, missing(rights, login?.grants));

  // Only a user that is proven to work gets jobs: they read the current version.
  const proven = await logIn(onWriter(wanted, administrator), by.password);
  if (proven instanceof DatabaseAccessDeniedError) throw proven;
  const still = missing(rights, proven.grants).filter(({ otherwise = "" }) => !lacks.includes(otherwise));
  if (still.length > 0)
    throw new DatabaseAccessDeniedError(
      `the database user ${accountIn(proven)} lacks ${still.map(({ rights: list, on }) => `${list.join(", ")} on ${on}`).join("; ")} although they were granted to ${accountIn(account)}; remove the other account of this name`,
    );
  await tryLogin(found, by);
  if (!by.current) await secret.makeCurrent(by);
  return { role, user, steps, lacks };
};

const assertSchema = async (admin: DatabaseConnection, schema: string): Promise<void> => {
  const rows = await admin.rows("SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", [
    schema,
  ]);
  if (rows.length === 0)
    throw new DatabaseMissingError(`there is no schema ${schema} on the server; nothing was changed`);
};

const lookFirst = async <Result>(
  asked: UsersToPrepare,
  then: (admin: DatabaseConnection, found: readonly Found[], server: ServerKind) => Promise<Result>,
): Promise<Result> => {
  const { administrator, users } = asked;
  assertAllowed(asked);
  await using admin = await connect(administrator, "information_schema");
  await assertWritable(admin, administrator, "database.restore.host");
  await assertSchema(admin, administrator.name);
  const found: Found[] = [];
  for (const wanted of users) found.push(await find(admin, administrator, wanted));
  return await then(admin, found, await serverKind(admin)); // the connection is needed until its end
};

/**
 * Shows what `prepareUsers` would do; changes nothing.
 *
 * @throws as `prepareUsers` does before its first change
 */
export const planUsers = (asked: UsersToPrepare): Promise<readonly PreparedUser[]> =>
  lookFirst(asked, async (_admin, found, server) =>
    found.map((one) => {
      const { role, user, rights } = one.wanted;
      return { role, user, steps: decide(one, rights(asked.administrator.name, server)), lacks: [] };
    }),
  );

/**
 * Makes users as the configuration wants them: each exists, has its rights on `administrator.name`, and the current version of
 * its secret logs in. Safe to repeat after a stop at any point: a password is written down before the server learns it, so that
 * a user of ours is one whose stored password logs in. No other user is changed, no password of a user that exists, and no
 * right is taken away.
 *
 * @throws {DatabaseUserNotOursError} refused: a user is forbidden, or exists with another password; nothing was changed
 * @throws {InvalidInputError} fatal: a stored password is too short to make a user with
 * @throws {DatabaseMissingError} fatal: there is no such schema
 * @throws {TargetUnsuitableError} refused: the server only reads
 * @throws {SecretUnreadableError | SecretStoreUnavailableError}
 * @throws the rest of the `Database…Error` family
 */
export const prepareUsers = (asked: UsersToPrepare): Promise<readonly PreparedUser[]> =>
  lookFirst(asked, async (admin, found, server) => {
    const prepared: PreparedUser[] = [];
    for (const one of found) prepared.push(await apply(admin, one, server, asked));
    return prepared;
  });
