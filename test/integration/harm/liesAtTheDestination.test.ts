import { execFileSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DumpNotFoundError, IntegrityError, RepositoryPasswordError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type Manifest, manifestBytes, manifestKey, sealManifest } from "@openemr-ops/dumps/manifest";
import { applyRetention } from "@openemr-ops/dumps/steps/applyRetention";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { chooseDump, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import type { WrittenInstallation } from "../../support/configuration.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { aRepositoryPassword } from "../../support/quickRepository.ts";
import { quickenRepositoryKey } from "../../support/quickRepositoryKey.ts";

const hour = 3600_000;
const day = 24 * hour;
/** Rounded, so that a moment survives restic's seconds. */
const today = new Date(Math.floor(Date.now() / 1000) * 1000 - hour);
const daysAgo = (days: number): Date => new Date(today.getTime() - days * day);
const keepLast = (count: number) => ({ keepLast: count, keepDaily: 0, keepWeekly: 0, keepMonthly: 0, keepYearly: 0 });
const idsOf = (some: readonly { readonly dumpId: string }[]) => some.map(({ dumpId }) => dumpId);

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic();
});
afterAll(() => clinic.remove());

interface Place {
  readonly repository: string;
  readonly dumps: readonly Manifest[];
  at(now: Date, place?: string, more?: { readonly id?: string }): Promise<DumpContext>;
}

/** Three dumps of the last three days, newest first, and a way to look at the destination, or a copy of it, at any time. */
const threeDumps = async (
  name: string,
  settings: { readonly restic?: string; readonly dumps?: Partial<WrittenInstallation["dumps"]> },
): Promise<Place> => {
  const directory = join(clinic.directory, name);
  const at: Place["at"] = (now, place = directory, more = {}) =>
    contextFor({ ...clinic, ...settings, ...more, directory: place, surroundings: { now: () => now } });
  const dumps: Manifest[] = [];
  for (const days of [3, 2, 1]) dumps.unshift((await takeDump(await at(daysAgo(days)))).manifest);
  return { repository: join(directory, "repository"), dumps, at };
};

let copies = 0;
/** A directory whose `repository` is a copy to spoil. */
const copyOf = async ({ repository }: Place): Promise<string> => {
  const directory = join(clinic.directory, `spoiled-${++copies}`);
  await cp(repository, join(directory, "repository"), { recursive: true });
  return directory;
};

/** What an attacker can do who writes to the destination and has no secret: anything but compute a seal. */
const forged = (manifest: Manifest, changes: Partial<Manifest>): Manifest => {
  const { digest: _, ...rest } = { ...manifest, ...changes };
  return sealManifest(rest);
};
const plant = async (context: DumpContext, manifest: Manifest): Promise<void> => {
  await context.destination.put(manifestKey("clinic-a", manifest.dumpId), manifestBytes(manifest));
};
const forgeNewer = async (context: DumpContext, { dumps }: Place): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (const [index, real] of dumps.entries()) {
    const at = new Date(today.getTime() - index * 60_000);
    const dumpId = ulid(at);
    ids.push(dumpId);
    await plant(context, forged(real, { dumpId, takenAt: at.toISOString(), sealedAt: at.toISOString() }));
    for (const level of ["read-data", "drill"])
      await context.destination.put(
        `verifications/clinic-a/${dumpId}/${at.toISOString().replaceAll(":", "-")}_${level}.json`,
        Buffer.from(""),
      );
  }
  return ids;
};
const completeOf = async (context: DumpContext): Promise<readonly string[]> =>
  idsOf((await listDumps(context)).filter(({ complete }) => complete));

describe.each(resticsHere())("a repository read by $name", ({ name, restic, older }) => {
  let place: Place;
  beforeAll(async () => {
    place = await threeDumps(`of-${older ? "older" : "current"}`, { restic });
  }, 120_000);
  const now = (directory: string, days = 0) => place.at(daysAgo(-days), directory);
  const run = (repository: string, ...args: readonly string[]): string =>
    execFileSync(restic, [...args], {
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        RESTIC_REPOSITORY: repository,
        RESTIC_PASSWORD: aRepositoryPassword,
        RESTIC_FROM_PASSWORD: aRepositoryPassword,
        RESTIC_CACHE_DIR: join(clinic.directory, "cache"),
      },
    });
  const snapshotsOf = (repository: string, ...options: readonly string[]): readonly string[] =>
    (JSON.parse(run(repository, "snapshots", ...options, "--json")) as { readonly id: string }[])
      .map(({ id }) => id)
      .sort();
  const snapshots = (directory: string): readonly string[] => snapshotsOf(join(directory, "repository"));

  it("loses no dump to manifests that somebody without the password copied and dated anew", async () => {
    const directory = await copyOf(place);
    const context = await now(directory);
    const before = snapshots(directory);
    const ids = await forgeNewer(context, place);

    const { expire, keep } = await applyRetention(context, keepLast(3), false);
    expect(expire).toEqual([]);
    expect(idsOf(keep)).toEqual(expect.arrayContaining(idsOf(place.dumps)));
    expect(snapshots(directory)).toEqual(before);
    const listed = await listDumps(context);
    for (const id of ids)
      expect(listed.find(({ dumpId }) => dumpId === id)).toMatchObject({
        complete: false,
        problem: /2 of its 2 halves are not at the destination/,
      });
    expect(await completeOf(context)).toEqual(idsOf(place.dumps));
  }, 60_000);

  it("keeps its newest verified dump whatever notes of verification somebody adds", async () => {
    const directory = await copyOf(place);
    const context = await now(directory);
    const [newest, middle, oldest] = idsOf(place.dumps) as [string, string, string];
    await drillDump(context, oldest);
    await context.destination.put(
      `verifications/clinic-a/${middle}/2026-11-20T00-00-00.000Z_drill.json`,
      Buffer.from(""),
    );
    await context.destination.put(
      `verifications/clinic-a/${newest}/2026-99-99T99-99-99.999Z_drill.json`,
      Buffer.from(""),
    );

    expect(idsOf((await applyRetention(context, keepLast(1), false)).keep)).toContain(oldest);
    expect(await completeOf(context)).toContain(oldest);
  }, 60_000);

  it("does not go back to an older dump when the newest plain manifest is removed", async () => {
    const directory = await copyOf(place);
    const context = await now(directory);
    const [newest] = place.dumps;
    await rm(join(directory, "repository", manifestKey("clinic-a", newest?.dumpId ?? "")));

    expect((await chooseDump(context, "latest")).dumpId).toBe(newest?.dumpId);
    expect((await checkDumps(context, "objects")).dumps).toContain(newest?.dumpId);
    expect(await drillDump(context, "latest")).toMatchObject({ dumpId: newest?.dumpId, verdict: "passed" });
  }, 60_000);

  it("is whole in a copy that restic made: listed, checked, drilled, and left alone by retention", async () => {
    const directory = join(clinic.directory, `copied-${older}`);
    const repository = join(directory, "repository");
    await mkdir(directory);
    run(repository, "init");
    await quickenRepositoryKey((await now(directory)).destination, aRepositoryPassword);
    run(repository, "copy", "--from-repo", place.repository);
    const before = snapshots(directory);
    expect(before).toHaveLength(9);

    const context = await now(directory, 2);
    expect(await completeOf(context)).toEqual(idsOf(place.dumps));
    expect(idsOf((await applyRetention(context, keepLast(3), false)).keep)).toEqual(idsOf(place.dumps));
    expect(snapshots(directory)).toEqual(before);
    expect((await listDumps(context)).map(({ rows }) => rows)).toEqual(
      place.dumps.map(({ database }) => database.rows),
    );
    expect((await checkDumps(context, "read-data")).dumps).toEqual(idsOf(place.dumps));
    expect(await drillDump(context, "latest")).toMatchObject({ dumpId: place.dumps[0]?.dumpId, verdict: "passed" });
    expect(idsOf((await applyRetention(context, keepLast(1), false)).expire)).toEqual(idsOf(place.dumps.slice(1)));
    expect(snapshots(directory)).toHaveLength(3);
  }, 120_000);

  it("of an earlier release is judged by its sealed manifests too", async () => {
    const directory = await copyOf(place);
    const context = await now(directory);
    const [newest, middle] = place.dumps as [Manifest, Manifest, Manifest];
    for (const { digest } of place.dumps)
      run(join(directory, "repository"), "tag", "--remove", `manifest=${digest}`, "--tag", "kind=manifest");
    expect(run(join(directory, "repository"), "snapshots", "--json")).not.toContain(newest.digest);
    expect(await completeOf(context)).toEqual(idsOf(place.dumps));

    // Were the plain manifests believed, the newest would be the oldest, and a safety dump.
    await plant(context, forged(newest, { takenAt: daysAgo(400).toISOString(), purpose: "safety" }));
    await expect(chooseDump(context, "latest")).rejects.toThrow(/differs from its sealed copy/);
    const { keep, expire } = await applyRetention(context, keepLast(1), true);
    expect([idsOf(keep), idsOf(expire)]).toEqual([[newest.dumpId], idsOf(place.dumps.slice(1))]);
    await plant(context, newest);

    await context.destination.put(
      `verifications/clinic-a/${middle.dumpId}/2026-11-20T00-00-00.000Z_drill.json`,
      Buffer.from(""),
    );
    expect((await listDumps(context))[1]?.verified).toMatchObject({ level: "drill", sealed: false });
    expect((await checkDumps(context, "read-data")).dumps).toEqual(idsOf(place.dumps));
    expect((await listDumps(context)).map(({ verified }) => verified?.sealed)).toEqual([true, true, true]);
    expect(await drillDump(context, "latest")).toMatchObject({ dumpId: newest.dumpId, verdict: "passed" });
  }, 60_000);

  it("takes no dump for whole when its sealed manifest is gone", async () => {
    const directory = await copyOf(place);
    const repository = join(directory, "repository");
    const [newest] = place.dumps as [Manifest, Manifest, Manifest];
    const sealed = snapshotsOf(repository, "--tag", `dump=${newest.dumpId},manifest=${newest.digest}`);
    expect(sealed).toHaveLength(1);
    run(repository, "forget", ...sealed);

    expect((await listDumps(await now(directory)))[0]).toMatchObject({
      dumpId: newest.dumpId,
      complete: false,
      problem: /has no sealed copy in the repository/,
    });
    await expect(chooseDump(await now(directory), "latest")).rejects.toThrow(/has no sealed copy/);
  }, 60_000);

  it("is listed without its password as what it is: hearsay", async () => {
    const directory = await copyOf(place);
    const open = (password: string) =>
      contextFor({
        ...clinic,
        restic,
        directory,
        environment: { REPOSITORY_PASSWORD: password },
        surroundings: { now: () => today },
      });
    for (const password of ["", "not the password"]) {
      const listed = await listDumps(await open(password));
      expect(listed.map(({ dumpId, complete, sealed }) => ({ dumpId, complete, sealed }))).toEqual(
        idsOf(place.dumps).map((dumpId) => ({ dumpId, complete: true, sealed: null })),
      );
    }
    await expect(applyRetention(await open("not the password"), keepLast(1), false)).rejects.toThrow(
      RepositoryPasswordError,
    );
  }, 60_000);

  it("loses no dump when its folder of manifests is lost, and gets the manifests back", async () => {
    const directory = await copyOf(place);
    const before = snapshots(directory);
    await rm(join(directory, "repository/manifests"), { recursive: true });
    const context = await now(directory, 2);

    const planned = await applyRetention(context, keepLast(3), true);
    expect(planned).toMatchObject({ expire: [], orphans: [] });
    expect(await readdir(join(directory, "repository"))).not.toContain("manifests");
    expect(await completeOf(context)).toEqual(idsOf(place.dumps));

    expect({ ...(await applyRetention(context, keepLast(3), false)), dryRun: true }).toEqual(planned);
    expect(snapshots(directory)).toEqual(before);
    for (const dump of place.dumps)
      expect(await readFile(join(directory, "repository", manifestKey("clinic-a", dump.dumpId)))).toEqual(
        manifestBytes(dump),
      );
  }, 60_000);

  it("loses nothing of a partial download, where snapshots are missing beside the manifests", async () => {
    const directory = await copyOf(place);
    await rm(join(directory, "repository/manifests"), { recursive: true });
    const all = JSON.parse(run(join(directory, "repository"), "snapshots", "--json")) as {
      readonly id: string;
      readonly tags: readonly string[];
    }[];
    const [newest, middle] = place.dumps as [Manifest, Manifest];
    const lost = all.filter(
      ({ tags }) =>
        (tags.includes(`dump=${newest.dumpId}`) && tags.includes("kind=manifest")) ||
        (tags.includes(`dump=${middle.dumpId}`) && tags.includes("kind=sites")),
    );
    expect(lost).toHaveLength(2);
    for (const { id } of lost) await rm(join(directory, "repository/snapshots", id));
    const before = snapshots(directory);

    const { expire, orphans } = await applyRetention(await now(directory, 2), keepLast(1), false);
    expect({ expire, orphans }).toEqual({ expire: [], orphans: [] });
    expect(snapshots(directory)).toEqual(before);
  }, 60_000);

  it("keeps its good dumps when one was taken under a clock that was a year ahead", async () => {
    const directory = await copyOf(place);
    const ahead = (await takeDump(await now(directory, 365))).manifest;
    const context = await now(directory);
    const [newest] = place.dumps as [Manifest];

    expect((await chooseDump(context, "latest")).dumpId).toBe(newest.dumpId);
    const [first] = await listDumps(context);
    expect(first).toMatchObject({ dumpId: ahead.dumpId, complete: true, problem: /future/ });
    const { keep, expire } = await applyRetention(context, keepLast(1), false);
    expect(idsOf(keep)).toEqual([ahead.dumpId, newest.dumpId]);
    expect(idsOf(expire)).toEqual(idsOf(place.dumps.slice(1)));
    expect(await completeOf(context)).toEqual([ahead.dumpId, newest.dumpId]);

    const next = (await takeDump(context)).manifest;
    expect(next.warnings.map(({ code }) => code)).toContain("dump-in-the-future");
    expect((await chooseDump(context, "latest")).dumpId).toBe(next.dumpId);
  }, 60_000);

  it("holds snapshots of another installation that no job of this one lists or removes", async () => {
    const directory = await copyOf(place);
    const theirs = await place.at(daysAgo(9), directory, { id: "clinic-b" });
    await takeDump(theirs);
    const unfinished = ulid(daysAgo(8));
    await theirs.store.writeDatabase(
      { dumpId: unfinished, takenAt: daysAgo(8) },
      async (sink) => sink(Buffer.from("half")),
      theirs,
    );
    run(join(directory, "repository"), "backup", "--host", "elsewhere", "/etc/hostname", "--tag", "openemr-ops");
    const ofOthers = (
      JSON.parse(run(join(directory, "repository"), "snapshots", "--json")) as {
        readonly id: string;
        readonly hostname: string;
      }[]
    )
      .filter(({ hostname }) => hostname !== "clinic-a")
      .map(({ id }) => id);
    expect(ofOthers).toHaveLength(5);

    const result = await applyRetention(await now(directory, 2), keepLast(1), false);
    expect(result.orphans).toEqual([]);
    expect(idsOf(result.expire)).toEqual(idsOf(place.dumps.slice(1)));
    expect(snapshots(directory)).toEqual(expect.arrayContaining(ofOthers));
  }, 60_000);

  it(`reads no manifest that holds other text than a dump writes (${name})`, async () => {
    const directory = await copyOf(place);
    const context = await now(directory);
    const [newest] = place.dumps as [Manifest];
    const key = (dumpId: string) => `portable/${dumpId}/database.sql.zst`;
    const lies: readonly Partial<Manifest>[] = [
      { server: { ...newest.server, characterSet: "utf8mb4; DROP DATABASE x" } },
      { server: { ...newest.server, collation: "utf8mb4_bin`" } },
      { server: { ...newest.server, product: "MariaDB\u001b[2J" } },
      ...["../../etc", "..", ".", "", "a/b", "a\0b", "x".repeat(300)].map((site) => ({
        openemr: { ...newest.openemr, sites: [site] },
      })),
      { documents: { "../../etc": { rows: 0, missing: 0, empty: 0, notEncrypted: 0 } } },
      { database: { ...newest.database, name: "x".repeat(65) } },
      {
        database: {
          ...newest.database,
          part: { kind: "object", key: key(ulid(today)), byteLength: 1, sha256: "0".repeat(64) },
        },
      },
      ...["..", "default/../../elsewhere", "/mnt", "a\0b"].map((at) => ({
        sites: { ...newest.sites, mounts: [{ at, type: "nfs4" }] },
      })),
      { tools: { restic: "x".repeat(100_000) } },
    ];
    for (const lie of lies) {
      await plant(context, forged(newest, lie));
      const [first] = await listDumps(context);
      expect(first, JSON.stringify(lie).slice(0, 200)).toMatchObject({
        dumpId: newest.dumpId,
        complete: false,
        problem: /is damaged/,
      });
      await expect(chooseDump(context, "latest")).rejects.toThrow(IntegrityError);
    }
    const path = join(directory, "repository", manifestKey("clinic-a", newest.dumpId));
    await writeFile(path, Buffer.concat([manifestBytes(newest), Buffer.alloc(65 * 1024 * 1024, " ")]));
    expect((await listDumps(context))[0]).toMatchObject({ complete: false, problem: /larger than/ });
  }, 60_000);
});

describe("dumps as files", () => {
  let place: Place;
  beforeAll(async () => {
    place = await threeDumps("sealed-files", { dumps: { format: "portable" } });
  }, 60_000);

  it("are not lost to forged sets that are newer, and none of those is the latest", async () => {
    const directory = await copyOf(place);
    const context = await place.at(today, directory);
    const ids: string[] = [];
    for (const [index, real] of place.dumps.entries()) {
      const at = new Date(today.getTime() - index * 60_000);
      const dumpId = ulid(at);
      ids.push(dumpId);
      await cp(join(directory, "repository/portable", real.dumpId), join(directory, "repository/portable", dumpId), {
        recursive: true,
      });
      const text = manifestBytes(real).toString().replaceAll(real.dumpId, dumpId);
      const { seal: _, ...unsealed } = JSON.parse(text) as Manifest & { readonly seal?: string };
      await plant(context, forged(unsealed, { takenAt: at.toISOString() }));
    }
    const { expire, keep } = await applyRetention(context, keepLast(3), false);
    expect(expire).toEqual([]);
    expect(idsOf(keep)).toEqual(expect.arrayContaining([...ids, ...idsOf(place.dumps)]));
    expect((await chooseDump(context, "latest")).dumpId).toBe(place.dumps[0]?.dumpId);
    const listed = await listDumps(context);
    expect(listed.map(({ dumpId, sealed }) => [dumpId, sealed])).toEqual([
      ...ids.map((id) => [id, false]),
      ...place.dumps.map(({ dumpId }) => [dumpId, true]),
    ]);
  });

  it("are damaged when their seal is another's", async () => {
    const directory = await copyOf(place);
    const context = await place.at(today, directory);
    const [newest] = place.dumps as [Manifest];
    await plant(context, forged(newest, { seconds: newest.seconds + 1 }));

    expect((await listDumps(context))[0]).toMatchObject({ complete: false, problem: /seal/ });
    await expect(chooseDump(context, "latest")).rejects.toThrow(IntegrityError);
    expect((await applyRetention(context, keepLast(1), false)).expire).toEqual([
      expect.objectContaining({ dumpId: place.dumps[2]?.dumpId }),
    ]);
  });

  it("take no part from another dump's folder", async () => {
    const directory = await copyOf(place);
    const context = await place.at(today, directory);
    const [newest, middle] = place.dumps as [Manifest, Manifest];
    await plant(context, forged(newest, { database: middle.database, sites: middle.sites }));

    expect((await listDumps(context))[0]).toMatchObject({ complete: false, problem: /is damaged/ });
  });

  it("are not removed when their manifests are lost", async () => {
    const directory = await copyOf(place);
    await rm(join(directory, "repository/manifests"), { recursive: true });
    const { expire, orphans, keep } = await applyRetention(await place.at(daysAgo(-2), directory), keepLast(1), false);

    expect({ expire, orphans }).toEqual({ expire: [], orphans: [] });
    expect(idsOf(keep).sort()).toEqual(idsOf(place.dumps).sort());
    expect((await readdir(join(directory, "repository/portable"))).sort()).toEqual(idsOf(place.dumps).sort());
  });

  it("all stay where no key is configured, with the next step in the reason", async () => {
    const directory = await copyOf(place);
    const context = await contextFor({
      ...clinic,
      directory,
      dumps: { format: "portable", sealKeyFile: undefined },
      surroundings: { now: () => today },
    });
    const { expire, keep } = await applyRetention(context, keepLast(1), false);

    expect(expire).toEqual([]);
    for (const { reasons } of keep) expect(reasons.join("; ")).toMatch(/dumps\.sealKeyFile/);
    expect((await chooseDump(context, "latest")).dumpId).toBe(place.dumps[0]?.dumpId);
  });

  it("taken under a clock a year ahead are no latest and push none out", async () => {
    const directory = await copyOf(place);
    const ahead = (await takeDump(await place.at(daysAgo(-365), directory))).manifest;
    const context = await place.at(today, directory);

    expect((await chooseDump(context, "latest")).dumpId).toBe(place.dumps[0]?.dumpId);
    expect(idsOf((await applyRetention(context, keepLast(3), false)).expire)).toEqual([]);
    expect(await completeOf(context)).toEqual([ahead.dumpId, ...idsOf(place.dumps)]);
  });

  it("of the future alone are no latest: the clock is named", async () => {
    const directory = await copyOf(place);
    const context = await place.at(daysAgo(30), directory);

    await expect(chooseDump(context, "latest")).rejects.toThrow(DumpNotFoundError);
    await expect(chooseDump(context, "latest")).rejects.toThrow(/clock/);
  });
});
