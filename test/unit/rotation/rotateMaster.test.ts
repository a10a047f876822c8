import { DatabaseAccessDeniedError, DatabaseUnavailableError, RotationRefusedError } from "@openemr-ops/core/errors";
import type { ManagedMaster } from "@openemr-ops/core/masterUser";
import { changeByService } from "@openemr-ops/rotation/master/changes";
import { jsonLogin, passwordAlone } from "@openemr-ops/rotation/master/masterSecret";
import {
  type MasterChange,
  type MasterRotation,
  type OtherUse,
  planMasterRotation,
  rotateMaster,
  rotateOwn,
} from "@openemr-ops/rotation/master/rotateMaster";
import { describe, expect, it } from "vitest";
import { manualClock } from "../../support/manualClock.ts";
import { memoryStoredSecret } from "../../support/memoryStoredSecret.ts";

class Killed extends Error {}

const textOf = (password: string, more: object = {}) => JSON.stringify({ ...more, username: "admin", password });

const passwordIn = (text = "{}") => (JSON.parse(text) as { password: string }).password;

interface World {
  readonly secret: ReturnType<typeof memoryStoredSecret>;
  /** What the server takes. */
  password: string;
  /** What it will take after so many logins. */
  next?: { readonly password: string; readonly after: number };
  logins: number;
  /** Where the run is killed, counted from 1: before and after each effect. */
  killAt: number;
  points: number;
  readonly invariant: () => Promise<void>;
}

/** @param delay how many logins a change takes until it works */
const aWorld = (delay = 0, stored: string | undefined = textOf("old")) => {
  const secret = memoryStoredSecret("rotations.master.secret", stored);
  const world: World = {
    secret,
    password: "old",
    logins: 0,
    killAt: 0,
    points: 0,
    invariant: async () => {
      const known = (await secret.versions()).map(({ text }) =>
        text.startsWith("{") ? passwordIn(text) : text.trim(),
      );
      for (const password of [world.password, world.next?.password]) if (password) expect(known).toContain(password);
    },
  };
  const point = async () => {
    world.points++;
    await world.invariant();
    if (world.points === world.killAt) throw new Killed();
  };
  const effect = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await point();
    const result = await work();
    await point();
    return result;
  };
  const change: MasterChange = {
    check: async () => {},
    set: (_, password) =>
      effect(async () => {
        if (delay === 0) world.password = password;
        else world.next = { password, after: world.logins + delay };
      }),
    verify: async () => {},
  };
  const clock = manualClock();
  let made = 0;
  const warnings: string[] = [];
  const rotation = (changes: Partial<MasterRotation> = {}): MasterRotation => ({
    secret: {
      ...secret,
      writePending: (text) => effect(() => secret.writePending(text)),
      makeCurrent: (version) => effect(() => secret.makeCurrent(version)),
    },
    form: jsonLogin,
    logIn: async ({ password }) => {
      world.logins++;
      if (world.next && world.logins >= world.next.after) {
        world.password = world.next.password;
        delete world.next;
      }
      return password === world.password ? undefined : new DatabaseAccessDeniedError("refused");
    },
    change,
    otherUses: async () => [],
    newPassword: () => `new-${++made}`,
    limitSeconds: 600,
    wait: async (seconds) => clock.advance(seconds),
    now: clock.now,
    progress: () => undefined,
    warn: (message) => void warnings.push(message),
    signal: new AbortController().signal,
    ...changes,
  });
  return { world, secret, rotation, warnings };
};

describe("the master user's password", () => {
  it("is written down, set, proven and made current; other fields of the secret stay", async () => {
    const { world, secret, rotation, warnings } = aWorld(0, textOf("old", { engine: "mysql", port: 3306 }));
    await expect(rotateMaster(rotation())).resolves.toEqual({ user: "admin", proven: true, keptBy: "secret" });
    expect(secret.kept()).toHaveLength(1);
    expect(JSON.parse(secret.current() ?? "")).toEqual({
      username: "admin",
      engine: "mysql",
      port: 3306,
      password: world.password,
    });
    expect(world.password).not.toBe("old");
    expect(warnings).toEqual([]);
  });

  it("is a line of its own where only the password is stored", async () => {
    const { world, secret, rotation } = aWorld(0, "old\n");
    await rotateMaster(rotation({ form: passwordAlone("admin") }));
    expect(secret.current()).toBe(`${world.password}\n`);
  });

  it.each([0, 20])(
    "is never unknown: killed at any point and at any pair of points, with a change that takes %i logins",
    async (delay) => {
      const whole = aWorld(delay);
      await rotateMaster(whole.rotation());
      const { points } = whole.world;
      expect(points).toBe(6);
      let tried = 0;
      for (let first = 1; first <= points; first++)
        for (let second = 0; second <= points; second++) {
          const { world, secret, rotation } = aWorld(delay);
          const run = async (killAt: number) => {
            Object.assign(world, { killAt, points: 0 });
            await rotateMaster(rotation()).catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
            });
            await world.invariant();
          };
          await run(first);
          if (second > 0) await run(second);
          Object.assign(world, { killAt: 0, points: 0 });
          await rotateMaster(rotation());
          tried++;
          expect(secret.kept()).toHaveLength(1);
          expect(passwordIn(secret.current())).toBe(world.password);
          expect(world.password).not.toBe("old");
        }
      expect(tried).toBe(points * (points + 1));
    },
  );

  it("that was written down is used by the next run, which makes none of its own", async () => {
    const { world, secret, rotation } = aWorld();
    await secret.writePending(textOf("written-down"));
    await rotateMaster(rotation());
    expect(world.password).toBe("written-down");
  });

  it("may take until the server has restarted", async () => {
    const { world, rotation } = aWorld();
    const { logIn } = rotation();
    const patient = rotation({
      logIn: (login) =>
        world.password !== "old" && world.logins++ % 3 === 0
          ? Promise.reject(new DatabaseUnavailableError("restarts"))
          : logIn(login),
    });
    await rotateMaster(patient);
    expect(world.password).toMatch(/^new/);
  });

  it("that never works is reported, stays written down, and is not made current", async () => {
    const { secret, rotation } = aWorld(10_000);
    await expect(rotateMaster(rotation())).rejects.toMatchObject({
      name: "CredentialDriftError",
      message: expect.stringMatching(/does not log in after 600 seconds; it is in the pending version/),
    });
    expect(passwordIn(secret.current())).toBe("old");
    expect(secret.kept()).toHaveLength(2);
  });

  it("is left alone when nothing that is stored logs in", async () => {
    const { world, secret, rotation } = aWorld();
    world.password = "changed-by-somebody";
    await expect(rotateMaster(rotation())).rejects.toMatchObject({
      name: "CredentialDriftError",
      message: expect.stringMatching(/no password that is written down in rotations\.master\.secret logs in as admin/),
    });
    expect(secret.kept()).toHaveLength(1);
  });

  it.each<{ what: string; changes: Partial<MasterRotation>; says: RegExp }>([
    {
      what: "OpenEMR itself logs in as this user",
      changes: {
        otherUses: async (): Promise<readonly OtherUse[]> => [
          { user: "admin", whose: "OpenEMR (site default)", next: "Run rotate database first" },
        ],
      },
      says: /OpenEMR \(site default\) logs in as admin too .* Run rotate database first/,
    },
    {
      what: "the server takes any password from here",
      changes: { logIn: async () => undefined },
      says: /takes any password of admin/,
    },
  ])("is refused when $what, and nothing is changed", async ({ changes, says }) => {
    const { world, secret, rotation } = aWorld();
    for (const run of [rotateMaster, planMasterRotation])
      await expect(run(rotation(changes))).rejects.toMatchObject({
        name: "RotationRefusedError",
        message: expect.stringMatching(says),
      });
    expect(world.points).toBe(0);
    expect(secret.kept()).toHaveLength(1);
  });

  it.each([
    { text: "canary", says: /no JSON object/ },
    { text: '{"username":"admin"}', says: /password is absent/ },
    { text: '{"username":7,"password":"canary"}', says: /username is not a text/ },
    { text: '["canary"]', says: /no JSON object/ },
  ])("is refused for the secret $text, whose text is not repeated", async ({ text, says }) => {
    const { rotation } = aWorld(0, text);
    const failure = await rotateMaster(rotation({ logIn: async () => undefined })).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "CredentialSecretError", message: expect.stringMatching(says) });
    expect(String(failure)).not.toContain("canary");
  });

  it("is refused for a secret without a value", async () => {
    const secret = memoryStoredSecret("rotations.master.secret");
    await expect(rotateMaster(aWorld().rotation({ secret }))).rejects.toThrow(/has no value/);
  });

  it("is what a plan describes; the plan changes nothing", async () => {
    const { world, secret, rotation } = aWorld();
    const fresh = await planMasterRotation(rotation());
    expect(fresh).toMatchObject({ dryRun: true, user: "admin" });
    expect(fresh.would[0]).toBe("store a new password");
    await secret.writePending(textOf("written-down"));
    expect((await planMasterRotation(rotation())).would[0]).toBe("use the password that is pending");
    world.password = "written-down";
    expect((await planMasterRotation(rotation())).would[0]).toBe("find the pending password at work");
    expect(world.points).toBe(0);
  });
});

const ports = () => {
  const clock = manualClock();
  return {
    limitSeconds: 60,
    wait: async (seconds: number) => clock.advance(seconds),
    now: clock.now,
    progress: () => undefined,
    signal: new AbortController().signal,
  };
};

const aMaster: ManagedMaster = { name: "cluster clinic", user: "admin", keepsPassword: false, changePending: false };
const aService = (looks: readonly Partial<ManagedMaster>[] = [{}]) => {
  const set: string[] = [];
  let count = 0;
  let version = 1;
  return {
    set,
    look: async () => ({ ...aMaster, ...looks[Math.min(count++, looks.length - 1)] }),
    setPassword: async (password: string) => void set.push(password),
    rotateOwn: async () => void version++,
    readOwn: async () => ({ user: "admin", password: `own-${version}`, versionId: `v${version}` }),
  };
};
const login = { user: "admin", password: "old" };

describe("a password that a service of the cloud changes", () => {
  it("is refused while another one waits for the maintenance window, which would come back", async () => {
    const change = changeByService(aService([{ changePending: true }]), ports());
    await expect(change.check(login, "new", false)).rejects.toThrow(
      /waits for the maintenance window of cluster clinic/,
    );
    await expect(change.check(login, "new", true)).resolves.toBeUndefined();
  });

  it("is looked at once more after it works: what still waits then would replace it", async () => {
    const late = changeByService(aService([{ changePending: true }, { changePending: true }, {}]), ports());
    await expect(late.verify(login)).resolves.toBeUndefined();
    const stuck = changeByService(aService([{ changePending: true }]), ports());
    await expect(stuck.verify(login)).rejects.toBeInstanceOf(RotationRefusedError);
  });

  it("is never that of another user than the secret names", async () => {
    const change = changeByService(aService([{ user: "root" }]), ports());
    await expect(change.check(login, "new", false)).rejects.toThrow(/is root, and the secret names admin/);
  });
});

describe("a password that RDS keeps itself", () => {
  it("is replaced by its own rotation, and proven by a login", async () => {
    const logins: string[] = [];
    const logIn = async ({ password }: { readonly password: string }) => void logins.push(password);
    const rotated = await rotateOwn({ ...ports(), service: aService(), logIn, otherUses: async () => [] });
    expect(rotated).toEqual({ user: "admin", proven: true, keptBy: "service" });
    expect(logins).toEqual(["own-2"]);
  });

  it("that stays the same is reported", async () => {
    const service = { ...aService(), rotateOwn: async () => {} };
    const rotating = rotateOwn({ ...ports(), service, logIn: async () => undefined, otherUses: async () => [] });
    await expect(rotating).rejects.toThrow(/stored no new password of admin within 60 seconds/);
  });
});
