import { CredentialDriftError, SiteLoginError } from "@openemr-ops/core/errors";
import { nameBeside, namesFor } from "./slotNames.ts";
import { loginsIn, otherSlot, type Slot, type SlotLogin, type Slots } from "./slots.ts";

/** What a site's `sqlconf.php` names, and whether the server takes it. */
export interface SiteLogin {
  readonly site: string;
  readonly username: string;
  readonly password: string;
  readonly works: boolean;
}

/** What was found before a switch. */
export interface Found {
  /** The setting that names the secret, for messages. */
  readonly field: string;
  readonly current?: Slots | undefined;
  /** The pending text where it is a plan; see `isPlan`. */
  readonly plan?: Slots | undefined;
  /** The installation's sites, the main one last. */
  readonly sites: readonly SiteLogin[];
  readonly place: { readonly host: string; readonly port: string; readonly dbname: string };
  /** Slots whose stored password logs in; looked at where no site logs in. */
  readonly storedWorks: readonly Slot[];
  /** The server's administrators, as far as they are met: such a user is never one of a slot. */
  readonly administrators: ReadonlySet<string>;
  /** Names of all users of the server. */
  readonly taken: ReadonlySet<string>;
}

/** What is to be done, in this order. */
export interface Decision {
  /** Becomes the current text first: the one there is does not hold what logs in now. */
  readonly describe?: Slots;
  /** The pending text: the user of its active slot is to be the live one, and the other user gets its new password last. */
  readonly plan: Slots;
  /** The plan is one that an earlier run wrote down. */
  readonly continues: boolean;
  readonly target: Slot;
}

const same = (
  one: Pick<SlotLogin, "username" | "password">,
  other: Pick<SlotLogin, "username" | "password">,
): boolean => one.username === other.username && one.password === other.password;

/** A site that fails is repaired when its credentials are ours, or when nothing works: else somebody has to look at it. */
const assertRepairable = ({ field, sites, current, plan, storedWorks }: Found): void => {
  const written = [current, plan].flatMap((text) => (text ? loginsIn(text) : []));
  const unknown = sites.filter((site) => !site.works && !written.some((login) => same(login, site)));
  const [first] = unknown;
  if (!first) return;
  const works = sites.some((site) => site.works);
  if (works || written.length === 0)
    throw new SiteLoginError(
      `the database server refuses what sqlconf.php of site ${first.site} names, user ${first.username}; nothing was changed. Store the right password there, or give the site a user of its own`,
    );
  if (storedWorks.length === 0)
    throw new CredentialDriftError(
      `neither the passwords in sqlconf.php nor those of ${field} log in; nothing was changed. Store the password with which the user ${first.username} logs in, in sqlconf.php of site ${first.site}`,
    );
};

/** The first text of an installation that was never rotated, or whose secret names an administrator. */
const firstText = (live: SiteLogin, { place, administrators, taken }: Found, newPassword: () => string): Slots => {
  if (administrators.has(live.username)) {
    const { A, B } = namesFor(place.dbname, taken);
    const made = (username: string): SlotLogin => ({ username, password: newPassword(), ...place });
    return { active_slot: "B", A: made(A), B: made(B) };
  }
  const beside = nameBeside(live.username, taken);
  return {
    active_slot: "A",
    A: { username: live.username, password: live.password, ...place },
    B: { username: beside, password: newPassword(), ...place },
  };
};

/** A text that holds what logs in now; a slot that no site uses keeps the password of the current text. */
const describing = (text: Slots, live: readonly SiteLogin[], place: Found["place"]): Slots => {
  const inSlot = (slot: Slot) => live.find(({ username }) => username === text[slot].username);
  const beside = live.find(({ username }) => username !== text.A.username && username !== text.B.username);
  const filled = (slot: Slot): SlotLogin => ({
    ...text[slot],
    password: inSlot(slot)?.password ?? text[slot].password,
  });
  const { replaced: _, ...rest } = text;
  return {
    ...rest,
    active_slot: inSlot(text.active_slot) ? text.active_slot : inSlot("A") ? "A" : inSlot("B") ? "B" : text.active_slot,
    A: filled("A"),
    B: filled("B"),
    ...(beside ? { replaced: { username: beside.username, password: beside.password, ...place } } : {}),
  };
};

/** The slot to switch to: the one that some sites have already, else the one that is not live. */
const targetOf = (current: Slots, sites: readonly SiteLogin[]): Slot => {
  const uses = (slot: Slot) => sites.some(({ username }) => username === current[slot].username);
  const elsewhere = sites.some(({ username }) => username !== current.A.username && username !== current.B.username);
  const [a, b] = [uses("A"), uses("B")];
  if (a && b) return current.active_slot;
  if (a) return elsewhere ? "A" : "B";
  if (b) return elsewhere ? "B" : "A";
  return otherSlot(current.active_slot);
};

/**
 * Decides which user is to be the live one, and what is written down before anything else happens. Who is live now is known from
 * `sqlconf.php` alone. A plan that was written down is continued, with its passwords.
 *
 * @throws {SiteLoginError} fatal: a site's login fails, and nobody wrote it down
 * @throws {CredentialDriftError} fatal: nothing that is written down logs in
 */
export const decideSwitch = (found: Found, newPassword: () => string): Decision => {
  assertRepairable(found);
  const { sites, place, administrators, plan, current } = found;
  const main = sites.at(-1);
  if (!main) throw new TypeError("an installation has a main site");
  const live = sites.filter(({ works }) => works);
  const usable = current && ![current.A, current.B].some(({ username }) => administrators.has(username));

  const written = usable ? [current, ...(plan ? [plan] : [])].flatMap(loginsIn) : [];
  if (usable && plan && live.every((site) => written.some((login) => same(login, site))))
    return { plan, continues: true, target: plan.active_slot };

  const base = usable ? current : { ...current, ...firstText(main, found, newPassword) };
  const described = describing(base, live, place);
  const isDescribed = usable && live.every((site) => loginsIn(current).some((login) => same(login, site)));
  const text = isDescribed ? current : described;
  const target = plan && usable ? plan.active_slot : targetOf(text, live.length > 0 ? live : sites);
  const inUse = live.some(({ username }) => username === text[target].username);
  const { replaced: _, ...rest } = text;
  const next = {
    ...rest,
    active_slot: target,
    [target]: { ...text[target], ...place, password: inUse || !usable ? text[target].password : newPassword() },
    [otherSlot(target)]: { ...text[otherSlot(target)], ...place, password: newPassword() },
  } as Slots;
  return { ...(isDescribed ? {} : { describe: described }), plan: next, continues: false, target };
};
