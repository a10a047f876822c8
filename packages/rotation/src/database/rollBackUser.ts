import { CredentialDriftError, DatabaseAccessDeniedError } from "@openemr-ops/core/errors";
import type { DatabaseRotation } from "./databaseRotation.ts";
import { lookAround } from "./lookAround.ts";
import { otherSlot, type Slot } from "./slots.ts";
import { loginAs } from "./standbyUser.ts";
import { useLogin } from "./switchUser.ts";

/** The user that OpenEMR logs in with again. */
export interface RolledBackUser {
  readonly activeSlot: Slot;
  readonly user: string;
  /** Sites whose `sqlconf.php` names that user again; none where none had been switched. */
  readonly sites: readonly string[];
}

/**
 * Goes back to the user that was live before `switchUser`: every `sqlconf.php` names it again, and it is proven. The current text
 * of the secret still describes it. What was written down stays pending, for the next run. Safe to repeat; without a switch under
 * way it changes nothing.
 *
 * @throws {CredentialDriftError} fatal: the user before does not log in, and the sites keep the one that they have
 * @throws as `switchUser`
 */
export const rollBackUser = async (r: DatabaseRotation): Promise<RolledBackUser> => {
  const around = await lookAround(r);
  const { current } = around.texts;
  const { user: named } = around.main.access;
  const plan = around.plan?.slots;
  const before =
    current &&
    (current.slots.replaced ?? current.slots[plan ? otherSlot(plan.active_slot) : current.slots.active_slot]);
  const activeSlot = current?.slots.active_slot ?? "A";
  if (!plan || !before) return { activeSlot, user: named, sites: [] };
  const switched = around.sites.filter(({ access }) => access.user === plan[plan.active_slot].username);
  if (switched.length === 0) return { activeSlot, user: named, sites: [] };

  const stored = [before, plan[otherSlot(plan.active_slot)]].filter(({ username }) => username === before.username);
  for (const login of stored) {
    if ((await loginAs(around.main.access, login.username, login.password)) instanceof DatabaseAccessDeniedError)
      continue;
    r.progress({ step: "rollBack", detail: login.username });
    await useLogin(r, { ...around, sites: switched }, login);
    return { activeSlot, user: login.username, sites: switched.map(({ site }) => site) };
  }
  throw new CredentialDriftError(
    `the user ${before.username}, with which OpenEMR logged in before, does not log in with what ${r.slots.field} holds, and the sites keep the user ${named}; store the password of ${before.username} there, or start the rotation again`,
  );
};
