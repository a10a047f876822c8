import { DatabaseAccessDeniedError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import { isAdministrator, parseRights } from "@openemr-ops/database/users/accountRights";
import type { DatabaseRotation } from "./databaseRotation.ts";
import { type Decision, decideSwitch, type Found } from "./decideSwitch.ts";
import { type FoundSite, type FoundSites, findSites } from "./findSites.ts";
import type { Slot } from "./slots.ts";
import { loginAs } from "./standbyUser.ts";
import { type BothTexts, planIn, readTexts, type StoredSlots } from "./storedSlots.ts";

/** All that a rotation finds, before it changes anything. */
export interface Surroundings extends FoundSites {
  readonly texts: BothTexts;
  readonly plan: StoredSlots | undefined;
  /** The site that decides where the database is; the last of `sites`. */
  readonly main: FoundSite;
  /** Users that no rotation alters, and whose rights none copies. */
  readonly administrators: ReadonlySet<string>;
}

const rules = ({ login }: FoundSite): boolean => login !== undefined && isAdministrator(parseRights(login.grants));

/**
 * Reads the secret and the sites, and logs in as each site does.
 *
 * @throws as `readTexts`, `planIn` and `findSites`
 */
export const lookAround = async (r: DatabaseRotation): Promise<Surroundings> => {
  const texts = await readTexts(r.slots);
  const plan = planIn(texts, r.slots);
  const slotUsers = texts.current ? [texts.current.slots.A.username, texts.current.slots.B.username] : [];
  const found = await findSites(r, slotUsers);
  const main = found.sites.at(-1);
  if (!main) throw new TypeError("the main site is one of the sites");
  const rulers = found.sites.filter((site) => !slotUsers.includes(site.access.user) && rules(site));
  const administrators = new Set(["root", r.administrator.user, ...rulers.map(({ access }) => access.user)]);
  return { ...found, texts, plan, main, administrators };
};

/** Names of all users; none where our own user may not look. */
const usersOf = async (admin: DatabaseConnection): Promise<ReadonlySet<string>> => {
  try {
    const rows = await admin.rows("SELECT DISTINCT User AS user FROM mysql.user");
    return new Set(rows.map(({ user }) => user ?? ""));
  } catch (error) {
    if (error instanceof DatabaseAccessDeniedError) return new Set();
    throw error;
  }
};

/** Slots whose stored password logs in, looked at only where no site's does. */
const slotsThatWork = async ({ sites, main, texts, plan }: Surroundings): Promise<readonly Slot[]> => {
  if (sites.some(({ login }) => login)) return [];
  const works: Slot[] = [];
  for (const text of [texts.current, plan])
    for (const slot of ["A", "B"] as const) {
      const stored = text?.slots[slot];
      if (!stored || works.includes(slot)) continue;
      const login = await loginAs(main.access, stored.username, stored.password);
      if (!(login instanceof DatabaseAccessDeniedError)) works.push(slot);
    }
  return works;
};

/** What `decideSwitch` decides about what was found. Reads only. */
export const decide = async (
  r: DatabaseRotation,
  around: Surroundings,
  admin: DatabaseConnection,
  newPassword: () => string,
): Promise<Decision> => {
  const { sites, main, texts, plan, administrators } = around;
  const { host, port, name } = main.access;
  const found: Found = {
    field: r.slots.field,
    current: texts.current?.slots,
    plan: plan?.slots,
    sites: sites.map(({ site, access, password, login }) => ({
      site,
      username: access.user,
      password,
      works: login !== undefined,
    })),
    place: { host, port: `${port}`, dbname: name },
    storedWorks: await slotsThatWork(around),
    administrators,
    taken: await usersOf(admin),
  };
  return decideSwitch(found, newPassword);
};
