import {
  CredentialDriftError,
  CredentialSecretError,
  MailLoginRefusedError,
  MailQueueFailingError,
  MailRejectedError,
  MailServerUnavailableError,
  RotationRefusedError,
} from "@openemr-ops/core/errors";
import { planSmtpRotation, retireSmtp, rotateSmtp, switchSmtp } from "@openemr-ops/mail/rotation/rotateSmtp";
import type { SmtpRotation } from "@openemr-ops/mail/rotation/smtpRotation";
import { describe, expect, it } from "vitest";
import { watched } from "../../../support/mailEffects.ts";
import { aMailWorld, type MailWorld } from "../../../support/mailWorld.ts";

const soakMinutes = 1440;
const day = soakMinutes * 60;
const users = (world: MailWorld) => world.rotation.sites.map(({ site }) => world.site(site).mail.user);
const stored = (world: MailWorld) => JSON.parse(world.secret.current() ?? "{}");
const ids = (world: MailWorld) => world.keys().map(({ id, active }) => `${id.slice(-1)}${active ? "" : " inactive"}`);
const soaking = (world: MailWorld): SmtpRotation => ({ ...world.rotation, soakMinutes });

/** A run that fails before it changes anything. */
const refused = async (world: MailWorld, kind: new (message: string) => Error, message: RegExp) => {
  for (const run of [planSmtpRotation, rotateSmtp]) {
    const { run: rotation, effects } = watched(world.rotation, () => {});
    const error = await run(rotation).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toMatch(message);
    expect(effects).toEqual([]);
  }
};

describe("a rotation", () => {
  it("gives every site a new login, and the key before is inactive until the soak is over", async () => {
    const world = aMailWorld();
    const [first = ""] = users(world);
    const result = await rotateSmtp(soaking(world));
    const [second = ""] = users(world);
    expect(result).toMatchObject({
      accessKeyId: second,
      previous: first,
      writtenTo: ["default", "north"],
      healed: [],
      testMessageId: "message-1",
      state: "soaking",
    });
    expect(ids(world)).toEqual(["1 inactive", "2"]);
    expect(stored(world).retiring).toMatchObject({ accessKeyId: first });
    expect(result.soakEnds).toBe(new Date(Date.parse(stored(world).retiring.deactivatedAt) + day * 1000).toISOString());

    // Again, before the time: it looks, and makes no third key.
    world.clock.advance(day / 2);
    expect(await rotateSmtp(soaking(world))).toMatchObject({
      state: "soaking",
      soakEnds: result.soakEnds,
      steps: ["lookAgain"],
    });
    expect(await retireSmtp(soaking(world))).toMatchObject({ state: "soaking" });
    expect(ids(world)).toEqual(["1 inactive", "2"]);

    world.clock.advance(day / 2);
    expect(await rotateSmtp(soaking(world))).toMatchObject({
      accessKeyId: second,
      previous: first,
      state: "done",
      steps: ["lookAgain", "deleteKey"],
    });
    expect(ids(world)).toEqual(["2"]);
    expect(stored(world).retiring).toBeUndefined();
    expect(await retireSmtp(soaking(world))).toMatchObject({
      accessKeyId: second,
      state: "done",
      steps: ["lookAgain"],
    });
    expect(world.sent).toHaveLength(1);
  });

  it("says what it would do, and changes nothing", async () => {
    const world = aMailWorld();
    const { run, effects } = watched(world.rotation, () => {});
    const plan = await planSmtpRotation(run);
    expect(effects).toEqual([]);
    expect(plan).toMatchObject({ accessKeyId: world.first.user, sites: ["default", "north"], warnings: [] });
    expect(plan.steps).toEqual((await rotateSmtp(world.rotation)).steps);
    expect((await planSmtpRotation(soaking(world))).steps.at(-1)).toBe("deactivateKey");
    await rotateSmtp(soaking(world));
    expect((await planSmtpRotation(soaking(world))).steps).toEqual(["lookAgain"]);
    expect((await planSmtpRotation(world.rotation)).steps).toEqual(["lookAgain", "deleteKey"]);
  });

  it("waits for a key that spreads machine by machine, and for a server that asks for patience", async () => {
    const world = aMailWorld({ spreadSeconds: 120, machines: 5 });
    const { run } = watched(world.rotation, () => expect(world.cutOff()).toEqual([]));
    world.failNext(world.unavailable(), world.unavailable());
    await rotateSmtp(run);
    expect(ids(world)).toEqual(["2"]);
    expect(world.logins()).toBeLessThan(40);
  });

  it("shows no secret of a key, no password and no login of others", async () => {
    const world = aMailWorld();
    world.site("north").mail = { ...world.site("north").mail, user: "doctor@example.org", password: "canary-93b1" };
    const shown: unknown[] = [await planSmtpRotation(world.rotation)];
    const rotation = { ...world.rotation, progress: (event: unknown) => shown.push(event) };
    shown.push(await rotateSmtp(rotation));
    world.site("default").mail = { ...world.site("default").mail, password: "canary-93b1" };
    shown.push(String(await rotateSmtp(rotation).catch((error: unknown) => error)), world.warnings);
    const secrets = world.keys().flatMap(({ secret, password }) => [secret, password]);
    for (const secret of [...secrets, world.first.password, "canary-93b1", "doctor@"])
      expect(JSON.stringify(shown)).not.toContain(secret);
    expect(JSON.stringify(shown)).toContain("north");
  });
});

describe("sites", () => {
  it("that send otherwise are left alone and named; where none is left, there is nothing to rotate", async () => {
    const world = aMailWorld({ sites: ["default", "north", "south"] });
    world.site("north").mail = { ...world.site("north").mail, method: "PHPMAIL" };
    world.site("south").mail = { ...world.site("south").mail, user: "someone", password: "else" };
    expect((await rotateSmtp(world.rotation)).writtenTo).toEqual(["default"]);
    expect(world.warnings).toEqual([
      expect.stringMatching(/site north does not send by SMTP/),
      expect.stringMatching(/site south logs in .* something else than an access key of IAM user ses-smtp-user/),
    ]);
    expect(world.site("south").mail.user).toBe("someone");

    world.site("default").mail = { ...world.site("default").mail, method: "SENDMAIL" };
    const { run, effects } = watched(world.rotation, () => {});
    expect(await rotateSmtp(run)).toMatchObject({ writtenTo: [], state: "done", steps: [] });
    expect(await planSmtpRotation(run)).toMatchObject({ steps: [], sites: [] });
    expect(effects).toEqual([]);
  });

  it("whose login does not work, or that name two keys, or another region, stop a rotation", async () => {
    const world = aMailWorld();
    world.site("north").mail = { ...world.site("north").mail, password: "wrong" };
    await refused(world, CredentialDriftError, /site north does not work now.*AKIA/);

    const two = aMailWorld();
    two.site("north").mail = { ...two.site("north").mail, ...two.loginOf(two.addKey()) };
    await refused(two, CredentialDriftError, /more than one access key.*1, AKIA0+2/);

    const far = aMailWorld();
    far.site("north").mail = { ...far.site("north").mail, host: "email-smtp.us-east-1.amazonaws.com" };
    await refused(far, RotationRefusedError, /site north sends through SES in us-east-1/);
  });

  it("that somebody changes between reading and writing are read again", async () => {
    const world = aMailWorld();
    const north = world.site("north");
    north.beforeReplace = () => {
      delete north.beforeReplace;
      north.mail = { ...north.mail, password: "typed by hand" };
    };
    await rotateSmtp(world.rotation);
    expect(new Set(users(world)).size).toBe(1);
    expect(world.cutOff()).toEqual([]);

    let count = 0;
    north.beforeReplace = () => {
      north.mail = { ...north.mail, password: `typed ${++count}` };
    };
    const before = ids(world);
    await expect(rotateSmtp(world.rotation)).rejects.toThrow(CredentialDriftError);
    expect(ids(world)).toEqual(before);
    expect(world.site("default").mail.user).toBe(world.keys()[0]?.id);
  });

  it("to which a stale page writes the former login back get the new one again, and are named", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    world.site("north").mail = { ...world.site("north").mail, ...world.first };
    expect(await rotateSmtp(soaking(world))).toMatchObject({ state: "soaking", healed: ["north"] });
    expect(world.cutOff()).toEqual([]);
    world.site("default").mail = { ...world.site("default").mail, ...world.first };
    world.clock.advance(day);
    expect(await retireSmtp(soaking(world))).toMatchObject({ state: "done", healed: ["default"] });
    expect(world.warnings.filter((one) => one.includes("put a former SMTP login back"))).toHaveLength(2);
    expect(new Set(users(world)).size).toBe(1);

    // Later still, when the key of that page is long deleted.
    for (const run of [retireSmtp, rotateSmtp]) {
      world.giveAll(world.first);
      expect(await run(world.rotation)).toMatchObject({ state: "done", healed: ["default", "north"] });
      expect(world.cutOff()).toEqual([]);
    }
  });
});

describe("a key that nobody wrote down is refused, never guessed away", () => {
  it.each([true, false])("as a second key (active: %s)", async (active) => {
    const world = aMailWorld();
    world.addKey(active);
    await refused(
      world,
      RotationRefusedError,
      new RegExp(`AKIA0+2 \\(${active ? "active" : "inactive"}\\), beside AKIA0+1`),
    );
    expect(ids(world)).toHaveLength(2);
  });

  it("after a rotation, during its soak", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    await world.rotation.accessKeys.remove(world.first.user);
    world.addKey();
    await refused(world, RotationRefusedError, /AKIA0+3 \(active\)/);
  });

  it.each(["used", "older", "much younger"])(
    "where a run announced a key, and one is there that is %s",
    async (what) => {
      const world = aMailWorld();
      world.clock.advance(3600);
      const since = world.clock.now().toISOString();
      const text = JSON.stringify({ ...stored(world), creating: { since, known: [world.first.user] } });
      await world.secret.writePending(text);
      world.clock.advance(what === "older" ? -1800 : what === "used" ? 2 : 3600);
      const { id } = world.addKey();
      if (what === "used") world.used.set(id, world.clock.now());
      await refused(world, RotationRefusedError, /AKIA0+2 \(active\)/);
    },
  );

  it("unless a stopped run made it", async () => {
    const world = aMailWorld();
    const since = world.clock.now().toISOString();
    await world.secret.writePending(JSON.stringify({ creating: { since, known: [world.first.user] } }));
    world.clock.advance(2);
    world.addKey();
    expect((await planSmtpRotation(world.rotation)).steps).toContain("createKey");
    await rotateSmtp(world.rotation);
    expect(ids(world)).toEqual(["3"]);
    expect(world.mostKeys()).toBe(2);
  });
});

describe("drift is refused by name", () => {
  it("where the secret names a key that is gone, inactive, or another one than OpenEMR's", async () => {
    const world = aMailWorld();
    const store = async (fields: object) =>
      world.secret.makeCurrent(await world.secret.writePending(JSON.stringify(fields)));
    await store({ accessKeyId: "AKIAGONE", password: "p" });
    await refused(world, CredentialDriftError, /AKIA0+1, AKIAGONE/);
    await store({ accessKeyId: world.first.user, password: world.first.password });
    world.change(world.first.user, { active: false });
    await refused(world, CredentialDriftError, /AKIA0+1, .* is inactive/);
    await store({ accessKeyId: world.first.user });
    await refused(world, CredentialSecretError, /password is absent/);
  });

  it("where a site's key is gone that the secret names", async () => {
    const world = aMailWorld();
    await rotateSmtp(world.rotation);
    await world.rotation.accessKeys.remove(users(world)[0] ?? "");
    await refused(world, CredentialDriftError, /is no key of IAM user ses-smtp-user/);
  });

  it("where the secret that is kept in step is damaged, before a key is made", async () => {
    const world = aMailWorld();
    await world.secretAccessKey.writePending("canary-93b1");
    await refused(world, CredentialSecretError, /inStep.secretAccessKey: the text is not an object/);
  });

  it("where a rotation in another region is under way", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    await expect(rotateSmtp({ ...world.rotation, regions: ["us-east-1"] })).rejects.toThrow(
      /in eu-central-1 is under way/,
    );
  });
});

describe("a failure before the new login is the current one leaves the login before, and no new key", () => {
  const goneBack = async (world: MailWorld, run: Promise<unknown>, kind: new (message: string) => Error) => {
    await expect(run).rejects.toThrow(kind);
    expect(ids(world)).toEqual(["1"]);
    expect(users(world)).toEqual([world.first.user, world.first.user]);
    expect(world.cutOff()).toEqual([]);
    expect(stored(world).accessKeyId).toBeUndefined();
    await rotateSmtp(world.rotation);
    expect(world.keys()).toHaveLength(1);
  };

  it("when the key never spreads", async () => {
    const world = aMailWorld();
    const server = {
      ...world.rotation.server,
      logIn: async (login: { user: string; password: string }, signal: AbortSignal) => {
        if (login.user !== world.first.user) throw new MailLoginRefusedError("refused for ever");
        await world.rotation.server.logIn(login, signal);
      },
    };
    const began = world.clock.now().getTime();
    await goneBack(world, rotateSmtp({ ...world.rotation, server }), MailLoginRefusedError);
    expect(world.clock.now().getTime() - began).toBeLessThan(900_000);
  });

  it("when the server refuses the test message, or cannot be reached any more", async () => {
    for (const error of [new MailRejectedError("554 not verified"), new MailServerUnavailableError("gone")]) {
      const world = aMailWorld();
      const send = async () => {
        throw error;
      };
      const server = { ...world.rotation.server, send };
      await goneBack(
        world,
        rotateSmtp({ ...world.rotation, server }),
        error.constructor as new (
          message: string,
        ) => Error,
      );
    }
  });

  it("when somebody stops it", async () => {
    const world = aMailWorld();
    const stop = new AbortController();
    const settings = world.rotation.sites.map((one) => ({
      ...one,
      replace: (async (before, after) => {
        const done = await one.replace(before, after);
        stop.abort(new MailRejectedError("stopped by a person"));
        return done;
      }) satisfies typeof one.replace,
    }));
    await goneBack(world, rotateSmtp({ ...world.rotation, sites: settings, signal: stop.signal }), MailRejectedError);
  });

  it("when a stopped run's new key was made inactive or deleted meanwhile", async () => {
    for (const harm of ["inactive", "deleted"]) {
      const world = aMailWorld();
      const { run } = watched(world.rotation, () => {}, { at: 7, how: "stop" });
      await expect(rotateSmtp(run)).rejects.toThrow(/stop at server.send/);
      const [, second] = world.keys();
      if (harm === "deleted") await world.rotation.accessKeys.remove(second?.id ?? "");
      else world.change(second?.id ?? "", { active: false });
      expect((await planSmtpRotation(world.rotation)).steps[0]).toBe("createKey");
      await rotateSmtp(world.rotation);
      expect(ids(world)).toEqual(["3"]);
      expect(world.cutOff()).toEqual([]);
    }
  });
});

it("a key that IAM does not list yet is deleted all the same, because the secret names it", async () => {
  const world = aMailWorld();
  const { run } = watched(world.rotation, () => {}, { at: 5, how: "stop" });
  await expect(rotateSmtp(run)).rejects.toThrow(/stop at default.replace/);
  let lists = 0;
  const list = async () => (await world.rotation.accessKeys.list()).slice(0, ++lists === 1 ? 1 : 2);
  await rotateSmtp({ ...world.rotation, accessKeys: { ...world.rotation.accessKeys, list } });
  expect(ids(world)).toEqual(["3"]);
  expect(world.cutOff()).toEqual([]);
});

it("a deleted key that IAM still lists is waited for, and one that stays is refused", async () => {
  for (const at of [3, 7])
    for (const late of [2, Number.POSITIVE_INFINITY]) {
      const world = aMailWorld();
      const { run } = watched(world.rotation, () => {}, { at, how: "stop" });
      await expect(rotateSmtp(run)).rejects.toThrow(/stop at/);
      const [, made] = world.keys();
      if (at === 7) world.change(made?.id ?? "", { active: false });
      const before = (await world.rotation.accessKeys.list()).map((key) => ({ ...key }));
      let lists = 0;
      const list = async () => (++lists <= late ? before : world.rotation.accessKeys.list());
      const rotated = rotateSmtp({ ...world.rotation, accessKeys: { ...world.rotation.accessKeys, list } });
      if (late === 2) expect(await rotated).toMatchObject({ state: "done" });
      else await expect(rotated).rejects.toThrow(/AKIA0+2 of a stopped rotation was deleted, and is still there/);
      expect(world.cutOff()).toEqual([]);
      expect(world.keys()).toHaveLength(1);
    }
});

describe("after the new login is the current one", () => {
  it("a login that stops working brings the key before back, and the next run makes another one", async () => {
    for (const harm of ["inactive", "deleted"]) {
      const world = aMailWorld();
      await rotateSmtp(soaking(world));
      const [second = ""] = users(world);
      if (harm === "deleted") await world.rotation.accessKeys.remove(second);
      else world.change(second, { active: false });
      await expect(retireSmtp(soaking(world))).rejects.toThrow(MailLoginRefusedError);
      expect(ids(world)).toEqual(["1"]);
      expect(users(world)).toEqual([world.first.user, world.first.user]);
      expect(world.cutOff()).toEqual([]);
      expect(stored(world)).toMatchObject({ accessKeyId: world.first.user, password: world.first.password });
      expect(stored(world).retiring).toBeUndefined();
      await rotateSmtp(world.rotation);
      expect(ids(world)).toEqual(["3"]);
    }
  });

  it("a login that the server refuses although its key is active brings the key before back", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    const [second = ""] = users(world);
    const logIn: typeof world.rotation.server.logIn = async (login, signal) => {
      if (login.user === second) throw new MailLoginRefusedError("refused for ever");
      await world.rotation.server.logIn(login, signal);
    };
    const server = { ...world.rotation.server, logIn };
    await expect(rotateSmtp({ ...soaking(world), server })).rejects.toThrow(/refused for ever/);
    expect(ids(world)).toEqual(["1"]);
    expect(world.cutOff()).toEqual([]);
  });

  it("a server that cannot be reached changes nothing", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    const logIn = async () => {
      throw world.unavailable();
    };
    const { run, effects } = watched({ ...soaking(world), server: { ...world.rotation.server, logIn } }, () => {});
    await expect(retireSmtp(run)).rejects.toThrow(MailServerUnavailableError);
    expect(effects).toEqual([]);
  });

  it("failures in OpenEMR's mail queue keep the key before, inactive", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    world.clock.advance(day);
    world.site("north").queue = { sent: 3, failed: 2, waiting: 0 };
    await expect(retireSmtp(soaking(world))).rejects.toThrow(MailQueueFailingError);
    await expect(retireSmtp(soaking(world))).rejects.toThrow(/2 of site north/);
    expect(ids(world)).toEqual(["1 inactive", "2"]);
    world.site("north").queue = { sent: 0, failed: 0, waiting: 4 };
    expect(await retireSmtp(soaking(world))).toMatchObject({ state: "done" });
    expect(world.warnings.at(-1)).toMatch(/site north sent nothing.*4 messages wait/);
  });

  it("messages that failed before the switch already do not keep the key before, and more of them do", async () => {
    const world = aMailWorld();
    world.site("north").queue = { sent: 0, failed: 2, waiting: 0 };
    await rotateSmtp(soaking(world));
    world.clock.advance(day);
    world.site("north").queue = { sent: 3, failed: 3, waiting: 0 };
    await expect(retireSmtp(soaking(world))).rejects.toThrow(/3 of site north, of which 2 failed before/);
    world.site("north").queue = { sent: 3, failed: 2, waiting: 0 };
    expect(await retireSmtp(soaking(world))).toMatchObject({ state: "done" });
    expect(world.warnings.at(-1)).toMatch(/2 messages.*site north.*failed before/);
  });

  it("a key before that somebody activated is made inactive again, and its time begins anew", async () => {
    const world = aMailWorld();
    await rotateSmtp(soaking(world));
    world.clock.advance(day);
    world.change(world.first.user, { active: true });
    const result = await retireSmtp(soaking(world));
    expect(result).toMatchObject({ state: "soaking", steps: ["deactivateKey", "lookAgain"] });
    expect(Date.parse(result.soakEnds ?? "")).toBeGreaterThan(world.clock.now().getTime());
    expect(ids(world)).toEqual(["1 inactive", "2"]);
    expect(world.warnings.at(-1)).toMatch(/was active/);
  });

  it("the switch has to end before a key is deleted", async () => {
    const world = aMailWorld();
    const { run } = watched(world.rotation, () => {}, { at: 7, how: "stop" });
    await expect(switchSmtp(run)).rejects.toThrow();
    await expect(retireSmtp(world.rotation)).rejects.toThrow(RotationRefusedError);
    expect(await switchSmtp(soaking(world))).toMatchObject({ state: "soaking", testMessageId: "message-1" });
    world.clock.advance(day);
    expect(await switchSmtp(soaking(world))).toMatchObject({ state: "soaking" });
    expect(await retireSmtp(soaking(world))).toMatchObject({ state: "done" });
  });
});
