import { readPasswordFile } from "@openemr-ops/core/config/passwordFile";
import { DatabaseAccessDeniedError, InvalidInputError } from "@openemr-ops/core/errors";
import { logIn } from "@openemr-ops/database/users/account";
import { rightsToDrill, rightsToDump, rightsToRestore } from "@openemr-ops/database/users/neededRights";
import {
  type PreparedUser,
  planUsers,
  prepareUsers,
  type UsersToPrepare,
  type WantedUser,
} from "@openemr-ops/database/users/prepareUsers";
import { usersSql } from "@openemr-ops/database/users/usersSql";
import { type DatabaseUserRole, databaseUserOf, databaseUserRoles } from "./configurationText.ts";
import type { FoundOpenEmr } from "./findOpenEmr.ts";
import type { SetUpAdministrator } from "./request.ts";

const rightsOf = { dump: rightsToDump, restore: rightsToRestore, drill: rightsToDrill } as const;

/** The password in a file; none where there is no file yet. @throws {InvalidInputError} */
const passwordAt = async (path: string): Promise<string | undefined> => {
  const read = await readPasswordFile(path);
  if ("password" in read) return read.password;
  if (read.problem === "does not exist") return undefined;
  throw new InvalidInputError([{ path: "directory", message: `${path} ${read.problem}` }]);
};

const never = async (): Promise<never> => {
  throw new TypeError("passwords are written before their users are made");
};

/**
 * The users that jobs log in as.
 *
 * @param passwordFile absolute path of the file with a role's password
 */
export const usersToMake = (
  { database }: Pick<FoundOpenEmr, "database">,
  passwordFile: (role: DatabaseUserRole) => string,
  signal: AbortSignal,
): readonly WantedUser[] =>
  databaseUserRoles.map((role) => {
    const path = passwordFile(role);
    const user = databaseUserOf(role, database.name);
    return {
      role: `${role} user`,
      field: "installations[0].database",
      user,
      secret: {
        field: path,
        versions: async () => {
          const password = await passwordAt(path);
          return password === undefined ? [] : [{ id: "current", password, current: true }];
        },
        writePending: never,
        makeCurrent: async () => {},
      },
      access: { ...database, user, password: async () => (await passwordAt(path)) ?? "", signal },
      rights: rightsOf[role],
    };
  });

const prepared = (
  users: readonly WantedUser[],
  { database, forbidden }: FoundOpenEmr,
  { user, socket, password }: SetUpAdministrator,
  signal: AbortSignal,
): UsersToPrepare => ({
  administrator: { ...database, user, password, signal, ...(socket === undefined ? {} : { socket }) },
  users,
  forbidden: [{ user, whose: "the database's administrator" }, ...forbidden],
  newPassword: () => "",
});

/** Makes the users, or shows what would be done. Throws as `prepareUsers`. */
export const makeUsers = (
  users: readonly WantedUser[],
  found: FoundOpenEmr,
  administrator: SetUpAdministrator,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly PreparedUser[]> =>
  (dryRun ? planUsers : prepareUsers)(prepared(users, found, administrator, signal));

/** Whether a user is there, logs in with its password and has its rights. */
const works = async ({ access, secret, rights }: WantedUser, { database, server }: FoundOpenEmr): Promise<boolean> => {
  const [version] = await secret.versions();
  if (!version) return false;
  const login = await logIn(access, version.password);
  if (login instanceof DatabaseAccessDeniedError) return false;
  return rights(database.name, server).every(
    (right) => right.lacking(login.grants).length === 0 || right.otherwise !== undefined,
  );
};

/** Those that are not there yet, or lack a right. */
export const missingUsers = async (
  users: readonly WantedUser[],
  found: FoundOpenEmr,
): Promise<readonly WantedUser[]> => {
  const working = await Promise.all(users.map((one) => works(one, found)));
  return users.filter((_, index) => !working[index]);
};

/** The statements that make users, for somebody who runs them. @param hidden shows `…` in place of passwords */
export const sqlFor = async (
  users: readonly WantedUser[],
  { database, server }: FoundOpenEmr,
  { hidden = false }: { readonly hidden?: boolean } = {},
): Promise<string> => {
  const made = users.map(async ({ user, secret, access, rights }) => {
    const [version] = hidden ? [] : await secret.versions();
    return { user, password: version?.password ?? "…", needsTls: access.tls !== "off", rights };
  });
  const sql = usersSql(await Promise.all(made), database.name, server);
  return hidden ? sql.replace(/(IDENTIFIED BY (?:PASSWORD )?)'[^']*'/g, "$1'…'") : sql;
};
