import { DatabaseAccessDeniedError, RotationRefusedError, SiteLoginError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { serverKind } from "@openemr-ops/database/users/account";
import { sessionsOf } from "@openemr-ops/database/users/sessions";
import type { DatabaseRotation } from "./databaseRotation.ts";
import { lookAround } from "./lookAround.ts";
import { otherSlot, type Slot } from "./slots.ts";
import { bringInStep, loginAs } from "./standbyUser.ts";
import { connectAdministrator } from "./switchUser.ts";

/** The user whose password was retired. */
export interface RetiredUser {
  readonly activeSlot: Slot;
  /** The user that OpenEMR logs in with. */
  readonly user: string;
  /** The user of the other slot, whose former password the server refuses; `null` when there was nothing left to do. */
  readonly retired: string | null;
}

const defaultDrainSeconds = 60;

/** Waits until no session of a user is left, for a while: one that goes on keeps working, whatever the password is. */
const drain = async (r: DatabaseRotation, admin: DatabaseConnection, user: string): Promise<void> => {
  let left = await sessionsOf(admin, user);
  if (left === undefined)
    r.warn(
      `sessions of the user ${user} were not waited for: the administrator ${r.administrator.user} lacks the right PROCESS`,
    );
  for (let second = 0; left && second < (r.drainSeconds ?? defaultDrainSeconds); second++) {
    r.progress({ step: "drain", detail: `${left} sessions of ${user}` });
    await r.wait(1, r.signal);
    left = await sessionsOf(admin, user);
  }
  if (left)
    r.warn(
      `${left} sessions of the user ${user} are still open, and keep working until they end; its password is retired now`,
    );
};

/**
 * Gives the user that was live before a new password, which was written down before the switch, proves that the former one is
 * refused, and makes the plan the current text. Safe to repeat after a stop at any point.
 *
 * @throws {RotationRefusedError} refused: a site still names the user
 * @throws {SiteLoginError} fatal: a site does not log in with the new user; nothing was changed
 * @throws as `switchUser`
 */
export const retireUser = async (r: DatabaseRotation): Promise<RetiredUser> => {
  const around = await lookAround(r);
  const { texts, plan: pending, sites, main } = around;
  if (!pending) return { activeSlot: texts.current?.slots.active_slot ?? "A", user: main.access.user, retired: null };
  const { slots: plan, version } = pending;
  const live = plan[plan.active_slot];
  const old = plan[otherSlot(plan.active_slot)];
  for (const { site, access, password, login } of sites) {
    if (access.user !== live.username || password !== live.password)
      throw new RotationRefusedError(
        `site ${site} does not name the user ${live.username} with the password that is written down, and no password was retired; run the switch first`,
      );
    if (!login)
      throw new SiteLoginError(
        `the database server refuses the user ${live.username} for site ${site}, and no password was retired`,
      );
  }
  await using admin = await connectAdministrator(r);
  await drain(r, admin, old.username);
  r.signal.throwIfAborted();
  r.progress({ step: "retire", detail: old.username });
  await bringInStep(
    admin,
    {
      user: old.username,
      password: old.password,
      access: main.access,
      like: [live.username],
      administrators: around.administrators,
      schemas: [...new Set(sites.map(({ access }) => access.name))],
    },
    await serverKind(admin),
  );
  const opens = async (password: string) =>
    !((await loginAs(main.access, old.username, password)) instanceof DatabaseAccessDeniedError);
  const former = texts.current?.slots[otherSlot(plan.active_slot)].password;
  if (former !== undefined && (await opens(former)))
    throw new SiteLoginError(
      `the database user ${old.username} still logs in with its former password for site ${main.site}; look at the accounts of that name`,
    );
  if (!(await opens(old.password)))
    throw new SiteLoginError(
      `the database user ${old.username} does not log in with its new password for site ${main.site}; look at the accounts of that name`,
    );
  await r.slots.makeCurrent(version);
  return { activeSlot: plan.active_slot, user: live.username, retired: old.username };
};
