import { InstallationUnhealthyError } from "@openemr-ops/core/errors";
import { type DatabaseRotation, rotateDatabase } from "@openemr-ops/rotation/database/rotateDatabase";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { aRotation, type RotatedInstallation } from "../../support/aRotation.ts";
import type { SchemaUser } from "../../support/database.ts";
import { lookAtWorld, makeWorld, shapeOf, type World } from "../../support/rotationWorld.ts";
import { watchEffects } from "../../support/watchEffects.ts";

const sites = ["default", "west"];
let hospital: RotatedInstallation;
beforeAll(async () => {
  hospital = await aRotation(inject("server"), { sites });
});
afterAll(() => hospital[Symbol.asyncDispose]());

const rotate = (changes: Partial<DatabaseRotation> = {}) => rotateDatabase(hospital.rotation(changes), async () => {});
const watched = (before: (effect: string) => Promise<unknown>, changes: Partial<DatabaseRotation> = {}) =>
  watchEffects(hospital.server.port, before, () => rotate(changes));

/** Every site has one and the same user, which is not the one before any more; that one's password is refused. */
const assertFlipped = async (origin: SchemaUser): Promise<SchemaUser> => {
  const [live, ...others] = await Promise.all(sites.map(hospital.named));
  if (!live) throw new Error("there is a site");
  for (const other of others) expect(other).toEqual(live);
  expect(live).not.toEqual(origin);
  expect(await hospital.opens(origin)).toBe(false);
  const texts = await hospital.texts();
  expect(texts).toHaveLength(1);
  const [{ active_slot: active = "A" } = {}] = texts as readonly { active_slot?: "A" | "B" }[];
  expect(texts[0]?.[active]).toMatchObject({ username: live.user, password: live.password });
  await hospital.assertNobodyLockedOut();
  return live;
};

/** A row that is rolled back, and a draft that is not there: the world after it is the world before it. */
const changesNothing = (effect: string): boolean => effect.startsWith("INSERT ") || /^rm .*\.draft$/.test(effect);

describe("a rotation that is stopped", () => {
  it("before any of its effects locks nobody out, and is completed when it is started again", {
    timeout: 300_000,
  }, async () => {
    let points = 0;
    await hospital.reset();
    for (const which of ["the first rotation", "a later one"]) {
      const world = await lookAtWorld(hospital, sites);
      const origin = await hospital.named("default");
      const effects: string[] = [];
      await watched(async (effect) => void effects.push(effect));
      const flipped = await lookAtWorld(hospital, sites);

      for (const [index, effect] of effects.entries()) {
        if (changesNothing(effect)) continue;
        await makeWorld(hospital, world);
        let count = 0;
        expect(await watched(async () => count++ !== index)).toBeUndefined();
        await hospital.assertNobodyLockedOut();
        await rotate();
        await assertFlipped(origin);
        points++;
      }
      expect(effects.length, which).toBeGreaterThan(10);
      await makeWorld(hospital, flipped);
    }
    console.info(`${points} points at which a rotation was stopped`);
  });

  it("again and again, anywhere, healthy or not, still locks nobody out and ends flipped", {
    timeout: 300_000,
  }, async () => {
    interface State {
      readonly world: World;
      /** What was live before the rotation that is under way. */
      readonly origin: SchemaUser;
    }
    const seen = new Set<string>();
    const waiting: State[] = [];
    let points = 0;
    /** A run that is stopped here leaves this world to the next one. */
    const note = async (origin: SchemaUser): Promise<void> => {
      points++;
      await hospital.assertNobodyLockedOut();
      const world = await lookAtWorld(hospital, sites);
      const shape = shapeOf(world, await Promise.all(sites.map(hospital.named)), await hospital.texts(), origin);
      if (seen.has(shape)) return;
      seen.add(shape);
      waiting.push({ world, origin });
    };
    await hospital.reset();
    await note(hospital.app);

    for (let state = waiting.shift(); state; state = waiting.shift()) {
      const { world, origin } = state;
      await makeWorld(hospital, world);
      await watched(async (effect) => {
        if (!changesNothing(effect)) await note(origin);
      });
      await note(await assertFlipped(origin));

      await makeWorld(hospital, world);
      let sick = false;
      const health = async () => {
        if (sick) return;
        sick = true;
        throw new InstallationUnhealthyError("OpenEMR is not healthy", []);
      };
      // Until OpenEMR is looked at, it is the run from above.
      const run = watched(
        async (effect) => {
          if (sick && !changesNothing(effect)) await note(origin);
        },
        { health },
      );
      await expect(run).rejects.toThrow(InstallationUnhealthyError);
      await note(origin);
    }
    console.info(`${seen.size} worlds that a run may find, at ${points} points of runs from each`);
    expect(seen.size).toBeGreaterThan(20);
  });
});
