import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { serverKind } from "@openemr-ops/database/users/account";
import { assertPasswordAllowed } from "@openemr-ops/database/users/passwordRules";
import { sessionsOf } from "@openemr-ops/database/users/sessions";
import { assertWritable } from "@openemr-ops/database/writable";
import type { DatabaseRotation } from "./databaseRotation.ts";
import type { Decision } from "./decideSwitch.ts";
import { decide, lookAround, type Surroundings } from "./lookAround.ts";
import { proveLogin } from "./proveLogin.ts";
import { otherSlot, printSlots, type Slot } from "./slots.ts";
import { bringInStep } from "./standbyUser.ts";
import { assertReplaceable, type NewLogin, switchSite } from "./switchSites.ts";

/** The user that OpenEMR logs in with now. */
export interface SwitchedUser {
  readonly activeSlot: Slot;
  readonly user: string;
  /** Sites whose `sqlconf.php` names the user. */
  readonly sites: readonly string[];
  /** Sites for which the user has logged in, read and written. */
  readonly proven: readonly string[];
  /** Sessions of the user after the switch; absent where the administrator may not look. */
  readonly sessions?: number;
}

/** Where the server's administrator may change nothing, nothing begins. */
export const connectAdministrator = async ({
  administrator,
  signal,
}: DatabaseRotation): Promise<DatabaseConnection> => {
  const admin = await connect({ ...administrator, signal }, "information_schema");
  try {
    await assertWritable(admin, administrator, "database.host");
    return admin;
  } catch (error) {
    await admin[Symbol.asyncDispose]();
    throw error;
  }
};

/** Puts the texts of the secret in order: what is live now in the current one, the plan in the pending one. */
const writeDown = async ({ slots }: DatabaseRotation, { describe, plan, continues }: Decision): Promise<void> => {
  if (describe) await slots.makeCurrent(await slots.writePending(printSlots(describe)));
  if (!continues) await slots.writePending(printSlots(plan));
};

/**
 * Proves a user for every site, lets every `sqlconf.php` name it, and waits until no web server runs the former file.
 *
 * @throws {SiteLoginError | InstallationUnhealthyError}
 */
export const useLogin = async (r: DatabaseRotation, { sites }: Surroundings, login: NewLogin): Promise<void> => {
  for (const { site, access } of sites)
    await proveLogin(site, { ...access, user: login.username, password: async () => login.password });
  for (const { site } of sites) {
    r.signal.throwIfAborted();
    r.progress({ step: "switch", detail: site });
    await switchSite(r.sitesPath, site, login);
  }
  r.progress({ step: "settle" });
  await r.wait(r.settleSeconds, r.signal);
  r.progress({ step: "health" });
  await r.health(r.signal);
};

/**
 * Gives OpenEMR the user of the other slot: writes its password down, makes it like the live one, proves that it logs in, reads
 * and writes for each site, and replaces every `sqlconf.php` that names the installation's user. The user before keeps working.
 * Repeated after a stop at any point, it continues what was written down; after a failure, `rollBackUser` goes back.
 *
 * @throws {CredentialSecretError | CredentialDriftError | SiteLoginError} fatal
 * @throws {PasswordPolicyError | RotationRefusedError | TargetUnsuitableError} refused: nothing that is live was changed
 * @throws {InstallationUnhealthyError} fatal: OpenEMR does not work with the new user
 * @throws {SqlconfError} fatal
 * @throws the `Database…Error` family, and what the secret throws
 */
export const switchUser = async (r: DatabaseRotation): Promise<SwitchedUser> => {
  r.progress({ step: "look" });
  const around = await lookAround(r);
  await using admin = await connectAdministrator(r);
  const decision = await decide(r, around, admin, r.newPassword);
  const { plan, target } = decision;
  const login = plan[target];
  const names = around.sites.map(({ site }) => site);
  await assertReplaceable(r.sitesPath, names, login);
  for (const { password } of [plan.A, plan.B]) await assertPasswordAllowed(admin, password);
  for (const other of around.others)
    r.warn(`site ${other} has a database user or a server of its own, and was left alone`);
  for (const site of around.second)
    r.warn(`site ${site} has a second database user in secure_sqlconf.php, which is not rotated`);
  r.signal.throwIfAborted();

  await writeDown(r, decision);
  const live = around.sites.flatMap(({ access, login: works }) => (works ? [access.user] : []));
  if (live.length === 0 || live.some((user) => user !== login.username)) {
    r.progress({ step: "user", detail: login.username });
    await bringInStep(
      admin,
      {
        user: login.username,
        password: login.password,
        access: around.main.access,
        like: [...live, plan[otherSlot(target)].username].filter((user) => user !== login.username),
        administrators: around.administrators,
        schemas: [...new Set(around.sites.map(({ access }) => access.name))],
      },
      await serverKind(admin),
    );
  }
  await useLogin(r, around, login);
  for (const user of new Set(live))
    if (user !== plan.A.username && user !== plan.B.username)
      r.warn(
        `the database user ${user}, with which OpenEMR logged in before, is in no slot: it keeps its password, and is not changed`,
      );
  const sessions = await sessionsOf(admin, login.username);
  return {
    activeSlot: target,
    user: login.username,
    sites: names,
    proven: names,
    ...(sessions === undefined ? {} : { sessions }),
  };
};
