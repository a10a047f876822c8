import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { OpsError, toOpsError, UnexpectedError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { applyRetention } from "@openemr-ops/dumps/steps/applyRetention";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { chooseDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Attack, attacksOn } from "../../support/harm/attacks.ts";
import { aWorld, type Format, type Place, type World } from "../../support/harm/world.ts";
import { objectKeys } from "../../support/tampering.ts";

/** How many histories each format gets, and how long the longest is. */
const histories = Number(process.env.OPENEMR_OPS_HARM_HISTORIES ?? 6);
const longest = 8;

const keepLast = { keepLast: 2, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 };

interface Job {
  readonly name: string;
  run(context: DumpContext, place: Place, number: number): Promise<unknown>;
}

const jobs: readonly Job[] = [
  { name: "list", run: (context) => listDumps(context) },
  { name: "check", run: (context) => checkDumps(context, "objects") },
  {
    name: "dump",
    run: async (context, place) => {
      const { dumpId, figures } = await takeDump(context);
      expect(figures.files).toBeGreaterThan(5);
      place.good.push(dumpId);
    },
  },
  { name: "drill latest", run: (context) => drillDump(context, "latest") },
  {
    name: "drill of any",
    run: async (context, place, number) => {
      const names = (await readdir(join(place.repository, "manifests", context.installation)).catch(() => [])).sort();
      const name = names[number % Math.max(1, names.length)];
      if (name) await drillDump(context, name.slice(0, 26));
    },
  },
  {
    name: "restore beside",
    run: (context, place, number) =>
      restoreDump(context, {
        dump: "latest",
        intoDatabase: `${context.database.name}_r${number}`,
        intoSites: join(place.repository, "..", `restored-${number}`),
        platform: "compose",
        connection: { host: "db", port: 3306, login: "openemr", pass: "p", dbase: "openemr" } as never,
      }),
  },
  { name: "retention, dry", run: (context) => applyRetention(context, keepLast, true) },
  { name: "retention", run: (context) => applyRetention(context, keepLast, false) },
];

/** Steps are named, so that a history that fails can be read, and pasted as an example. */
const anyHistory = (format: Format): fc.Arbitrary<readonly string[]> =>
  fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...attacksOn(format).map(({ name }) => name)) },
      { weight: 3, arbitrary: fc.constantFrom(...jobs.map(({ name }) => name)) },
    ),
    { minLength: 3, maxLength: longest },
  );

const stepOf = (format: Format, name: string): { readonly attack?: Attack; readonly job?: Job } => {
  const attack = attacksOn(format).find((one) => one.name === name);
  const job = jobs.find((one) => one.name === name);
  return { ...(attack ? { attack } : {}), ...(job ? { job } : {}) };
};

/** Retention had deleted the oldest dump, as it should, before a newer one was spoiled: that one is not owed any more. */
const deletedBeforeAnotherWasSpoiled = ["dump", "retention", "a character set that is a statement", "list"];

/** Stored objects that belong to one dump: by its identifier for portable ones, by its snapshots for restic's. */
const storedOf = async (place: Place, dumpId: string): Promise<boolean> => {
  if (place.format === "restic") {
    const sealed = (await place.context.store.listSealed(place.context))?.get(dumpId);
    return sealed?.database === true && sealed.sites && sealed.manifest;
  }
  const keys = await objectKeys(place.repository);
  return keys.filter((key) => key.startsWith(`portable/${dumpId}/`)).length === 2;
};

/** Carries out one history and looks after each step at all that must not have changed. */
const liveThrough = async (world: World, steps: readonly string[]): Promise<void> => {
  const place = await world.open();
  const { context, good } = place;
  const lost = new Set<string>();
  /** Good dumps that a retention run could delete. */
  const expired = new Set<string>();
  const past: string[] = [];
  const before = await world.bystanders.image();
  try {
    for (const [number, name] of steps.entries()) {
      past.push(name);
      const story = past.join(" → ");
      const { attack, job } = stepOf(place.format, name);
      if (attack) for (const dumpId of await attack.carryOut(place, world.bystanders)) lost.add(dumpId);
      if (!job) continue;
      const live = { tree: place.tree(), rows: await place.rows() };
      const failure = await job.run(context, place, number).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure) {
        expect(failure, `${story}: ${String(failure)}`).toBeInstanceOf(OpsError);
        expect(toOpsError(failure), story).not.toBeInstanceOf(UnexpectedError);
      }
      expect(await world.bystanders.image(), story).toEqual(before);
      expect({ tree: place.tree(), rows: await place.rows() }, story).toEqual(live);

      const intact = good.filter((dumpId) => !lost.has(dumpId) && !expired.has(dumpId));
      if (name === "retention") for (const dumpId of intact.slice(0, -keepLast.keepLast)) expired.add(dumpId);
      for (const dumpId of intact.slice(-keepLast.keepLast))
        expect(await storedOf(place, dumpId), `${story}: ${dumpId}`).toBe(true);
      const latest = await chooseDump(context, "latest").then(
        ({ dumpId }) => dumpId,
        (error: unknown) => error,
      );
      if (latest instanceof Error) expect(latest, story).toBeInstanceOf(OpsError);
      else if (lost.size === 0) expect(latest, story).toBe(good.at(-1));
    }
    const schemas = await world.clinic.schema.query(
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE ?",
      [`${context.database.name}\\_drill%`],
    );
    expect(schemas, past.join(" → ")).toEqual([]);
  } finally {
    for (const { name } of await world.clinic.schema.query(
      "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ?",
      [`${context.database.name}\\_r%`],
    ))
      await world.clinic.schema.query(`DROP DATABASE \`${String(name)}\``);
    await place.remove();
  }
};

describe.each(["restic", "portable"] as const)("whatever lies at a destination or in a source (%s)", (format) => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld(format);
  }, 120_000);
  afterAll(() => world.remove());

  it("no job harms a bystander, loses a good dump, or takes an older one for the latest", {
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(anyHistory(format), (steps) => liveThrough(world, steps)),
      { numRuns: histories, endOnFailure: true, examples: [[deletedBeforeAnotherWasSpoiled]] },
    );
  });
});
