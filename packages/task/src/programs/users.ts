import { administratorIn } from "@openemr-ops/core/config/administrator";
import { requireSection } from "@openemr-ops/core/config/select";
import { rightsToDump, rightsToRestore } from "@openemr-ops/database/users/neededRights";
import { newPassword } from "@openemr-ops/database/users/newPassword";
import {
  type ForbiddenUser,
  type PreparedUser,
  planUsers,
  prepareUsers,
  type UserStep,
  type UsersToPrepare,
} from "@openemr-ops/database/users/prepareUsers";
import type { TaskReport } from "@openemr-ops/events/workflowSteps";
import { databaseAccess } from "../openContext.ts";
import { openEmrUsers } from "../openEmrUsers.ts";
import { openSecrets } from "../openSecrets.ts";
import type { Place, Program } from "../program.ts";
import { openStoredPassword } from "../storedPasswords.ts";

export interface UsersPlan {
  readonly dryRun: true;
  readonly users: readonly PreparedUser[];
}
export type UsersResult = Omit<UsersPlan, "dryRun">;

const words: Readonly<Record<UserStep, readonly [would: string, done: string]>> = {
  storePassword: ["store a new password", "new password stored"],
  createUser: ["create the user", "user created"],
  requireTls: ["require TLS", "TLS required"],
  grantRights: ["grant rights", "rights granted"],
  makePasswordCurrent: ["make its password current", "password made current"],
};

/** What was done to a user, or would be, in words. */
export const stepsInWords = ({ steps, lacks }: PreparedUser, dryRun: boolean): string => {
  const said = steps.map((step) => words[step][dryRun ? 0 : 1]).join(", ");
  const done = said === "" ? "nothing to do" : dryRun ? `would ${said}` : said;
  return [done, ...lacks.map((one) => `without a right that the administrator may not grant: ${one}`)].join("; ");
};

export const usersReport = (users: readonly PreparedUser[], dryRun: boolean): TaskReport => ({
  figures: { changes: users.reduce((sum, { steps }) => sum + steps.length, 0) },
  result: Object.fromEntries(users.map((one) => [one.role, `${one.user}: ${stepsInWords(one, dryRun)}`])),
});

const usersOfOpenEmr = async (place: Place): Promise<readonly ForbiddenUser[]> =>
  (await openEmrUsers(place)).map(({ site, user }) => ({
    user,
    whose: `the one that OpenEMR logs in with (site ${site})`,
  }));

const usersOf = async (place: Place): Promise<UsersToPrepare> => {
  const { database, users } = requireSection(place.config, place.installation, "users");
  const readSecret = openSecrets(place.environment);
  const { administrator: reference } = users;
  const { user, password } = administratorIn(reference.field, await readSecret(reference));
  const writer = { ...database, ...database.restore };
  const accessTo = (server: typeof database | typeof writer, name: string) => ({
    ...databaseAccess(server, database.name, { user: name, password: server.password }, readSecret),
    signal: place.signal,
  });
  const at = reference.field.replace(/\.users\..*$/, "");
  return {
    administrator: { ...accessTo(writer, user), password: async () => password },
    users: [
      {
        role: "dump user",
        field: `${at}.database.user`,
        user: database.user,
        secret: await openStoredPassword(database.password, readSecret),
        access: accessTo(database, database.user),
        rights: rightsToDump,
      },
      {
        role: "restore user",
        field: `${at}.database.restore.user`,
        user: database.restore.user,
        secret: await openStoredPassword(database.restore.password, readSecret),
        access: accessTo(writer, database.restore.user),
        rights: rightsToRestore,
      },
    ],
    forbidden: [{ user, whose: "the database's administrator" }, ...(await usersOfOpenEmr(place))],
    newPassword,
  };
};

export const users: Program<"users", UsersPlan, UsersResult> = {
  plan: async (place) => {
    const planned = await planUsers(await usersOf(place));
    return { result: { dryRun: true, users: planned }, report: usersReport(planned, true) };
  },
  run: async (place) => {
    const prepared = await prepareUsers(await usersOf(place));
    return { result: { users: prepared }, report: usersReport(prepared, false) };
  },
};
