import { CredentialDriftError, SiteLoginError } from "@openemr-ops/core/errors";
import { decideSwitch, type Found, type SiteLogin } from "@openemr-ops/rotation/database/decideSwitch";
import type { Slots } from "@openemr-ops/rotation/database/slots";
import { describe, expect, it } from "vitest";

const place = { host: "db.example", port: "3306", dbname: "openemr" };
const login = (username: string, password: string) => ({ username, password, ...place });
const current: Slots = { active_slot: "A", A: login("app_a", "a1"), B: login("app_b", "b0"), note: "kept" };
/** Written down by a run from A to B. */
const plan: Slots = { active_slot: "B", A: login("app_a", "a2"), B: login("app_b", "b1") };

const site = (name: string, username: string, password: string, works = true): SiteLogin => ({
  site: name,
  username,
  password,
  works,
});
const onA = (name: string, works = true) => site(name, "app_a", "a1", works);
const onB = (name: string, works = true) => site(name, "app_b", "b1", works);

const passwords = () => {
  let count = 0;
  return () => `new${++count}`;
};
const found = (changes: Partial<Found>): Found => ({
  field: "rotations.database.slots",
  sites: [onA("west"), onA("default")],
  place,
  storedWorks: [],
  administrators: new Set(["root", "admin"]),
  taken: new Set(),
  ...changes,
});
const decide = (changes: Partial<Found>) => decideSwitch(found(changes), passwords());
/** A text as one line: the active slot, and both users with their passwords. */
const short = (text: Slots | undefined) =>
  text &&
  [
    text.active_slot,
    ...[text.A, text.B, ...(text.replaced ? [text.replaced] : [])].map((one) => `${one.username}:${one.password}`),
  ].join(" ");
const shown = (changes: Partial<Found>) => {
  const { describe: describes, plan: next, continues, target } = decide(changes);
  return { describes: short(describes), plan: short(next), continues, target };
};

describe("which user is to be the live one", () => {
  it.each<{ when: string; found: Partial<Found>; decision: ReturnType<typeof shown> }>([
    {
      when: "nothing was ever rotated: the live user gets one beside it",
      found: { sites: [site("default", "openemr", "own")] },
      decision: {
        describes: "A openemr:own openemr_b:new1",
        plan: "B openemr:new2 openemr_b:new1",
        continues: false,
        target: "B",
      },
    },
    {
      when: "OpenEMR logs in as the administrator: both slots get new users",
      found: { sites: [site("default", "admin", "master")] },
      decision: {
        describes: "B openemr_a:new1 openemr_b:new2 admin:master",
        plan: "A openemr_a:new1 openemr_b:new3",
        continues: false,
        target: "A",
      },
    },
    {
      when: "the secret is in step: the other one",
      found: { current },
      decision: { describes: undefined, plan: "B app_a:new2 app_b:new1", continues: false, target: "B" },
    },
    {
      when: "the secret still names the user before as active: the files decide",
      found: { current: { ...current, active_slot: "B" } },
      decision: { describes: undefined, plan: "B app_a:new2 app_b:new1", continues: false, target: "B" },
    },
    {
      when: "the secret is behind the database: it is corrected first",
      found: { current, sites: [site("default", "app_b", "b9")] },
      decision: {
        describes: "B app_a:a1 app_b:b9",
        plan: "A app_a:new1 app_b:new2",
        continues: false,
        target: "A",
      },
    },
    {
      when: "a plan was written down and nothing happened since: it is continued",
      found: { current, plan },
      decision: { describes: undefined, plan: "B app_a:a2 app_b:b1", continues: true, target: "B" },
    },
    {
      when: "half of the sites were switched: the run is continued",
      found: { current, plan, sites: [onB("west"), onA("default")] },
      decision: { describes: undefined, plan: "B app_a:a2 app_b:b1", continues: true, target: "B" },
    },
    {
      when: "all sites were switched: the run is continued",
      found: { current, plan, sites: [onB("default")] },
      decision: { describes: undefined, plan: "B app_a:a2 app_b:b1", continues: true, target: "B" },
    },
    {
      when: "sites name both users and nothing is pending: the active one, whose password stays",
      found: {
        current: { ...current, active_slot: "B", B: login("app_b", "b1") },
        sites: [onB("west"), onA("default")],
      },
      decision: { describes: undefined, plan: "B app_a:new1 app_b:b1", continues: false, target: "B" },
    },
    {
      when: "a plan is pending, and a site's password is written down nowhere: that is written down first",
      found: { current, plan, sites: [site("default", "app_a", "a9")] },
      decision: {
        describes: "A app_a:a9 app_b:b0",
        plan: "B app_a:new2 app_b:new1",
        continues: false,
        target: "B",
      },
    },
    {
      when: "the files name somebody else: that user is written down, and gives way to the other slot",
      found: { current, sites: [site("default", "admin", "master")] },
      decision: {
        describes: "A app_a:a1 app_b:b0 admin:master",
        plan: "B app_a:new2 app_b:new1",
        continues: false,
        target: "B",
      },
    },
    {
      when: "some sites name somebody else still: the slot that the others have",
      found: { current, sites: [onA("west"), site("default", "admin", "master")] },
      decision: {
        describes: "A app_a:a1 app_b:b0 admin:master",
        plan: "A app_a:a1 app_b:new1",
        continues: false,
        target: "A",
      },
    },
    {
      when: "the secret names the administrator: the slots get users of their own",
      found: {
        current: { ...current, A: login("admin", "master") },
        sites: [site("default", "admin", "master")],
      },
      decision: {
        describes: "B openemr_a:new1 openemr_b:new2 admin:master",
        plan: "A openemr_a:new1 openemr_b:new3",
        continues: false,
        target: "A",
      },
    },
    {
      when: "the database was restored from a snapshot and nothing logs in, as was written down: the other slot",
      found: { current, sites: [onA("west", false), onA("default", false)] },
      decision: { describes: undefined, plan: "B app_a:new2 app_b:new1", continues: false, target: "B" },
    },
    {
      when: "the files were restored, and only the secret's password logs in: the other slot",
      found: { current, sites: [site("default", "app_a", "old", false)], storedWorks: ["A"] },
      decision: { describes: undefined, plan: "B app_a:new2 app_b:new1", continues: false, target: "B" },
    },
  ])("is known when $when", ({ found: changes, decision }) => {
    expect(shown(changes)).toEqual(decision);
  });

  it("keeps what else the secret holds", () => {
    expect(decide({ current }).plan).toMatchObject({ note: "kept" });
  });

  it("takes over no user that exists", () => {
    const taken = new Set(["openemr", "openemr_b", "openemr_a"]);

    expect(decide({ sites: [site("default", "openemr", "own")], taken }).plan.B.username).toBe("openemr_b2");
    expect(decide({ sites: [site("default", "root", "own")], taken }).plan).toMatchObject({
      A: { username: "openemr_a2" },
      B: { username: "openemr_b2" },
    });
  });

  it("gives no name longer than 32 characters, and puts a lost secret's user back beside its other", () => {
    const long = "a".repeat(32);

    expect(decide({ sites: [site("default", long, "own")] }).plan.B.username).toBe(`${"a".repeat(30)}_b`);
    expect(decide({ sites: [site("default", "openemr_b", "own")] }).plan.B.username).toBe("openemr_a");
  });

  it.each<{ when: string; found: Partial<Found>; error: new (message: string) => Error; says: string }>([
    {
      when: "one of two sites has a wrong password",
      found: { current, sites: [site("west", "app_a", "typo", false), onA("default")] },
      error: SiteLoginError,
      says: "site west",
    },
    {
      when: "nothing was ever rotated, and the only site's password is wrong",
      found: { sites: [site("default", "openemr", "typo", false)] },
      error: SiteLoginError,
      says: "site default",
    },
    {
      when: "nothing that is written down logs in",
      found: { current, sites: [site("default", "app_a", "typo", false)] },
      error: CredentialDriftError,
      says: "Store the password with which the user app_a logs in",
    },
  ])("is not decided when $when", ({ found: changes, error, says }) => {
    expect(() => decide(changes)).toThrow(error);
    expect(() => decide(changes)).toThrow(says);
    expect(() => decide(changes)).not.toThrow("typo");
  });
});
