import { MailLoginRefusedError } from "@openemr-ops/core/errors";
import { sesSmtpPasswordOf } from "@openemr-ops/local/servers/sesSmtp";
import { rotateSmtp } from "@openemr-ops/mail/rotation/rotateSmtp";
import { expect, it } from "vitest";
import { type Harm, Harmed, watched } from "../../../support/mailEffects.ts";
import { aMailWorld, homeRegion, type MailWorld } from "../../../support/mailWorld.ts";

/** Runs a rotation, harmed or not, and asserts at every moment that the login of every site works. */
const run = async (world: MailWorld, ...harms: readonly Harm[]) => {
  const cutOff = new Set<string>();
  const watch = watched(
    world.rotation,
    () => {
      for (const site of world.cutOff()) cutOff.add(site);
    },
    ...harms,
  );
  let failure: unknown;
  await rotateSmtp(watch.run).catch((error: unknown) => {
    failure = error;
  });
  expect([...cutOff], JSON.stringify({ harms, effects: watch.effects })).toEqual([]);
  if (failure !== undefined && !(failure instanceof Harmed)) throw failure;
  return { effects: watch.effects, harmed: failure !== undefined };
};

/** All that is left agrees: one key, active; sites, secret and what is in step have it; nothing is under way. */
const assertConverged = async (world: MailWorld, called: string) => {
  const keys = world.keys();
  expect(
    keys.map(({ active }) => active),
    called,
  ).toEqual([true]);
  const [key] = keys;
  const password = sesSmtpPasswordOf(key?.secret ?? "", homeRegion);
  for (const { site } of world.rotation.sites)
    expect(world.site(site).mail, called).toMatchObject({ user: key?.id, password });
  const stored = JSON.parse(world.secret.current() ?? "");
  expect(stored, called).toMatchObject({
    accessKeyId: key?.id,
    username: key?.id,
    password,
    passwords: { "us-east-1": sesSmtpPasswordOf(key?.secret ?? "", "us-east-1") },
    region: homeRegion,
  });
  expect([stored.creating, stored.retiring], called).toEqual([undefined, undefined]);
  expect(JSON.parse(world.secretAccessKey.current() ?? "").password, called).toBe(key?.secret);
  expect(world.parameter(), called).toBe(key?.id);
  expect(world.mostKeys(), called).toBeLessThanOrEqual(2);
};

const settled = async (world: MailWorld): Promise<MailWorld> => {
  await rotateSmtp(world.rotation);
  world.clock.advance(86_400);
  return world;
};

const beginnings = [
  { called: "the first rotation", make: async () => aMailWorld() },
  {
    called: "the first rotation, of stores that make a first version current at once,",
    make: async () => aMailWorld({ firstIsCurrent: true }),
  },
  { called: "a later rotation", make: async () => settled(aMailWorld()) },
  {
    called: "a rotation of a secret that only has a password",
    make: async () => {
      const world = aMailWorld();
      await world.secret.makeCurrent(
        await world.secret.writePending(JSON.stringify({ password: world.first.password, note: "kept" })),
      );
      return world;
    },
  },
] as const;

it.each(beginnings)(
  "$called that is stopped before any of its effects is ended by the next run",
  async ({ called, make }) => {
    const whole = await run(await make());
    expect(whole.harmed).toBe(false);
    if (called === "a later rotation") process.stdout.write(`${whole.effects.join("\n")}\n`);
    let pairs = 0;
    for (let one = 1; one <= whole.effects.length; one++)
      // The second run is stopped wherever it can be, and last not at all.
      for (let two = 1; ; two++) {
        const world = await make();
        expect((await run(world, { at: one, how: "stop" })).harmed).toBe(true);
        world.clock.advance(60 * two);
        const next = await run(world, { at: two, how: "stop" });
        if (next.harmed) {
          pairs++;
          await run(world);
        }
        await assertConverged(world, `${called}, stopped at ${one} and ${two}`);
        if (!next.harmed) break;
      }
    process.stdout.write(`${called}: ${whole.effects.length} crash points, ${pairs} pairs\n`);
    expect(pairs).toBeGreaterThan(100);
  },
);

it.each(beginnings)(
  "$called of which any effect fails, or loses its answer, goes back or forward, and the next run ends it",
  async ({ called, make }) => {
    const { effects } = await run(await make());
    let cases = 0;
    const promoted = effects.indexOf("secret.makeCurrent", effects.indexOf("server.send")) + 1;
    for (let one = 1; one <= effects.length; one++)
      // The way back is stopped too, wherever it can be, and last not at all.
      for (const how of ["fail", "lost"] as const)
        for (let two = one + 1; ; two++) {
          const world = await make();
          const before = world.keys().map(({ id }) => id);
          const harmed = await run(world, { at: one, how }, { at: two, how: "stop" });
          cases++;
          const label = `${called}, ${how} at ${one} (${effects[one - 1]}), stopped at ${two}`;
          const whole = harmed.effects.length < two;
          const goesBack = one < promoted || (one === promoted && how === "fail");
          if (whole && goesBack) {
            expect(
              world.keys().map(({ id }) => id),
              label,
            ).toEqual(before);
            for (const { site } of world.rotation.sites) expect(world.site(site).mail.user, label).toBe(before[0]);
          }
          world.clock.advance(60);
          await run(world);
          await assertConverged(world, label);
          if (whole) break;
        }
    process.stdout.write(`${called}: ${cases} failures\n`);
    expect(cases).toBeGreaterThan(50);
  },
);

it("a way back after the new login was the current one that is stopped anywhere is ended by the next run", async () => {
  for (const lost of ["inactive", "deleted"])
    for (let at = 1; ; at++) {
      const world = aMailWorld();
      await rotateSmtp({ ...world.rotation, soakMinutes: 60 });
      const [, second] = world.keys();
      if (lost === "deleted") await world.rotation.accessKeys.remove(second?.id ?? "");
      else world.change(second?.id ?? "", { active: false });
      const { run: harmed } = watched(world.rotation, () => {}, { at, how: "stop" });
      const failure = await rotateSmtp(harmed).catch((error: unknown) => error);
      if (failure instanceof Harmed) await rotateSmtp(world.rotation).catch(() => {});
      expect(world.cutOff(), `${lost}, stopped at ${at}`).toEqual([]);
      await rotateSmtp(world.rotation);
      await assertConverged(world, `${lost}, stopped at ${at}`);
      if (failure instanceof MailLoginRefusedError) {
        expect(at).toBeGreaterThan(6);
        break;
      }
      expect(failure).toBeInstanceOf(Harmed);
    }
});
