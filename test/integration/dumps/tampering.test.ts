import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DamagedError, exitCodeOf, IntegrityError, toOpsError } from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type Manifest, sealManifest } from "@openemr-ops/dumps/manifest";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aSource, type Source } from "../../support/aSource.ts";
import type { WrittenInstallation } from "../../support/configuration.ts";
import { contextFor, resticsHere } from "../../support/dumpContext.ts";
import { copyOf, cut, flip, objectKeys } from "../../support/tampering.ts";

type Settings = Partial<WrittenInstallation["dumps"]>;

/** A destination with two sound dumps, to be copied and spoiled. */
interface Prepared {
  readonly directory: string;
  readonly settings: Settings;
  readonly restic?: string;
  readonly older: Manifest;
  readonly newer: Manifest;
}

const folder = "manifests/clinic-a/";
const manifestOf = ({ dumpId }: Manifest): string => `${folder}${dumpId}.json`;

let source: Source;
let count = 0;
beforeAll(async () => {
  source = await aSource();
});
afterAll(() => source.remove());

const prepare = async (
  name: string,
  { settings = {}, restic, id }: { settings?: Settings; restic?: string; id?: string },
): Promise<Prepared> => {
  const directory = join(source.directory, name);
  const context = await contextFor({
    ...source,
    directory,
    dumps: settings,
    ...(restic ? { restic } : {}),
    ...(id ? { id } : {}),
  });
  const older = (await takeDump(context)).manifest;
  await source.schema.query("UPDATE globals SET gl_value = ? WHERE gl_name = 'openemr_name'", [`after ${name}`]);
  const newer = (await takeDump(context)).manifest;
  return { directory: join(directory, "repository"), settings, ...(restic ? { restic } : {}), older, newer };
};

/** A copy and a context on it, with no memory of earlier runs. */
const copyToSpoil = async ({ directory, settings, restic }: Prepared) => {
  const place = join(source.directory, `spoiled-${count++}`);
  const repository = join(place, "repository");
  await copyOf(directory, repository);
  const context = await contextFor({ ...source, directory: place, dumps: settings, ...(restic ? { restic } : {}) });
  return { repository, context, [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }) };
};

const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "passed",
    (error: unknown) => error,
  );

/** A check of every byte says so; a drill says so or does not need what was spoiled; nobody says anything else. */
const expectSeen = async (context: DumpContext, what: string): Promise<void> => {
  const found = await failureOf(checkDumps(context, "read-data"));
  expect(found, `check after ${what}`).toBeInstanceOf(IntegrityError);
  expect(exitCodeOf(toOpsError(found))).toBe(6);
};
const expectDrillFails = async (context: DumpContext, what: string): Promise<void> => {
  const found = await failureOf(drillDump(context, "latest"));
  expect(found, `drill after ${what}`).toBeInstanceOf(DamagedError);
  const verified = (await listDumps(context)).filter(({ verified: passed }) => passed !== null);
  expect(verified).toEqual([]);
};
const expectDrillFailsOrPasses = async (context: DumpContext, what: string): Promise<void> => {
  const found = await failureOf(drillDump(context, "latest"));
  if (found !== "passed") expect(found, `drill after ${what}`).toBeInstanceOf(DamagedError);
};

/** What `dumps` says, newest first: the problem, or that there is none. */
const problems = async (context: DumpContext): Promise<readonly string[]> =>
  (await listDumps(context)).map(({ complete, problem }) => (complete ? "complete" : (problem ?? "no word")));

const resealed = (manifest: Manifest, changes: Partial<Manifest>): Buffer => {
  const { digest: _, ...rest } = { ...manifest, ...changes };
  return Buffer.from(`${JSON.stringify(sealManifest(rest), null, 1)}\n`);
};

const seesAnyBit = (prepared: () => Prepared, runs: number): void => {
  it("sees one flipped bit anywhere", { timeout: 240_000 }, async () => {
    const keys = (await objectKeys(prepared().directory)).filter((key) => !key.startsWith("verifications/"));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 0, max: 7 }),
        async (key, at, bit) => {
          await using spoiled = await copyToSpoil(prepared());
          await flip(spoiled.repository, key, at, bit);
          await expectSeen(spoiled.context, `bit ${bit} of ${key}`);
        },
      ),
      { numRuns: runs },
    );
  });
};

const manifestPromises = (prepared: () => Prepared): void => {
  it("says which manifest is damaged, and passes by it", async () => {
    const { newer, older } = prepared();
    for (const spoil of [
      (directory: string) => flip(directory, manifestOf(newer), 0.5),
      (directory: string) => flip(directory, manifestOf(newer), -1),
      (directory: string) => cut(directory, manifestOf(newer), 0.9),
      (directory: string) => cut(directory, manifestOf(newer), 0),
      async (directory: string) =>
        writeFile(join(directory, manifestOf(newer)), `${await readFile(join(directory, manifestOf(newer)), "utf8")} `),
    ]) {
      await using spoiled = await copyToSpoil(prepared());
      await spoil(spoiled.repository);

      expect(await problems(spoiled.context)).toEqual([
        `manifest ${manifestOf(newer)} is damaged: its bytes are not those that were written`,
        "complete",
      ]);
      await expectSeen(spoiled.context, "a spoiled manifest");
      await expect(drillDump(spoiled.context, "latest")).rejects.toThrow(
        `The newest complete dump is ${older.dumpId}; name it instead`,
      );
    }
  });

  it("takes no manifest for that of another dump", async () => {
    await using spoiled = await copyToSpoil(prepared());
    const [one, other] = [prepared().newer, prepared().older].map((each) => join(spoiled.repository, manifestOf(each)));
    await rename(one as string, `${one}.aside`);
    await rename(other as string, one as string);
    await rename(`${one}.aside`, other as string);

    expect(await problems(spoiled.context)).toEqual([
      `manifest ${manifestOf(prepared().newer)} belongs to another dump`,
      `manifest ${manifestOf(prepared().older)} belongs to another dump`,
    ]);
    await expectSeen(spoiled.context, "two manifests that changed places");
    await expectDrillFails(spoiled.context, "two manifests that changed places");
  });

  it("lists a dump whose manifest is gone only where a sealed one is left, and never calls it the rest of a run", async () => {
    await using spoiled = await copyToSpoil(prepared());
    const { older, newer } = prepared();
    await rm(join(spoiled.repository, manifestOf(newer)));

    const { store } = spoiled.context;
    const sealedCopy = store.format === "restic";
    expect((await listDumps(spoiled.context)).map(({ dumpId }) => dumpId)).toEqual([
      ...(sealedCopy ? [newer.dumpId] : []),
      older.dumpId,
    ]);
    const rests = await store.orphans(new Set(), spoiled.context);
    expect(rests.filter(({ mayBeWhole }) => !mayBeWhole)).toEqual([]);
  });

  it("finds a dump in the manifest that was forged to say another number of rows, digest and all", async () => {
    await using spoiled = await copyToSpoil(prepared());
    const { newer } = prepared();
    const [first, ...others] = newer.database.tables.filter(({ rows }) => rows > 0);
    if (!first) throw new Error("the source has rows");
    const tables = newer.database.tables.map((table) => (table === first ? { ...table, rows: table.rows + 1 } : table));
    expect(others.length).toBeGreaterThan(0);
    await writeFile(
      join(spoiled.repository, manifestOf(newer)),
      resealed(newer, { database: { ...newer.database, tables } }),
    );

    expect(await problems(spoiled.context)).toEqual([
      newer.format === "restic"
        ? `manifest of dump ${newer.dumpId} differs from its sealed copy in the repository`
        : expect.stringContaining("the seal of manifest"),
      "complete",
    ]);
    await expectDrillFails(spoiled.context, "a forged manifest");
  });
};

/** What two describes below share: the objects of a prepared repository. */
const objectsOf = (prepared: () => Prepared) => ({
  /** Keys of one kind, smallest first. */
  ofKind: async (start: string): Promise<readonly string[]> => {
    const { directory } = prepared();
    const keys = (await objectKeys(directory)).filter((key) => key.startsWith(start));
    const sized = await Promise.all(keys.map(async (key) => ({ key, size: (await stat(join(directory, key))).size })));
    return sized.sort((one, other) => one.size - other.size).map(({ key }) => key);
  },
});
const snapshotKey = (part: Manifest["database"]["part"]): string =>
  part.kind === "snapshot" ? `snapshots/${part.snapshotId}` : part.key;

describe.each(resticsHere())("a repository read by $name", ({ restic, older }) => {
  let prepared: Prepared;
  beforeAll(async () => {
    prepared = await prepare(`restic-${older}`, { restic });
  });
  const { ofKind } = objectsOf(() => prepared);
  seesAnyBit(() => prepared, older ? 4 : 8);

  it.each(["config", "keys/", "index/", "snapshots/", "data/"])(
    "sees a flipped bit in any object of %s",
    { timeout: 120_000 },
    async (start) => {
      const keys = await ofKind(start);
      expect(keys.length).toBeGreaterThan(0);
      // Of a pack, the last four bytes are the length of the header before them.
      for (const key of [...new Set([keys[0], keys.at(-1)])] as string[])
        for (const at of older ? [0.5] : [0, 0.5, -40, -1]) {
          await using spoiled = await copyToSpoil(prepared);
          await flip(spoiled.repository, key, at, 3);
          await expectSeen(spoiled.context, `${at} of ${key}`);
          if (at === 0.5) await expectDrillFailsOrPasses(spoiled.context, `${at} of ${key}`);
        }
    },
  );

  it("sees a changed letter in every field of the key file", { timeout: 120_000 }, async () => {
    const [key = ""] = await ofKind("keys/");
    const text = await readFile(join(prepared.directory, key), "utf8");
    const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
    expect(fields.map(([field]) => field)).toEqual(
      expect.arrayContaining(["created", "username", "hostname", "kdf", "N", "r", "p", "salt", "data"]),
    );
    for (const [field, value] of fields) {
      await using spoiled = await copyToSpoil(prepared);
      const start = text.indexOf(`"${field}":`) + field.length + 3;
      await flip(spoiled.repository, key, start + Math.floor(String(value).length / 2), 0);
      await expectSeen(spoiled.context, `a letter of ${field}`);
      await expectDrillFailsOrPasses(spoiled.context, `a letter of ${field}`);
    }
  });

  it("sees that its config or its key is cut short, empty or gone", { timeout: 120_000 }, async () => {
    for (const key of ["config", ...(await ofKind("keys/"))])
      for (const spoil of [
        (directory: string) => cut(directory, key, 0.99),
        (directory: string) => cut(directory, key, 0),
        (directory: string) => rm(join(directory, key)),
      ]) {
        await using spoiled = await copyToSpoil(prepared);
        await spoil(spoiled.repository);
        await expectSeen(spoiled.context, `${key} spoiled`);
        await expectDrillFails(spoiled.context, `${key} spoiled`);
      }
  });

  it("begins no new repository among the remains of one", async () => {
    await using spoiled = await copyToSpoil(prepared);
    await rm(join(spoiled.repository, "config"));

    await expect(takeDump(spoiled.context)).rejects.toThrow("lacks its object config");
    expect(await objectKeys(spoiled.repository)).not.toContain("config");
  });
});

describe("a repository", () => {
  let prepared: Prepared;
  let foreign: Prepared;
  beforeAll(async () => {
    prepared = await prepare("restic", {});
    foreign = await prepare("restic-foreign", { id: "clinic-b" });
  });
  const { ofKind } = objectsOf(() => prepared);
  manifestPromises(() => prepared);

  it.each(["index/", "snapshots/", "data/"])(
    "sees that an object of %s is cut short, empty or gone",
    { timeout: 120_000 },
    async (start) => {
      const key = (await ofKind(start)).at(-1) ?? "";
      for (const [what, spoil] of [
        ["cut short", (directory: string) => cut(directory, key, 0.99)],
        ["empty", (directory: string) => cut(directory, key, 0)],
        ["gone", (directory: string) => rm(join(directory, key))],
      ] as const) {
        await using spoiled = await copyToSpoil(prepared);
        await spoil(spoiled.repository);
        await expectSeen(spoiled.context, `${key} ${what}`);
      }
    },
  );

  it("sees that all of a kind is gone", { timeout: 120_000 }, async () => {
    for (const gone of ["data", "index", "snapshots"]) {
      await using spoiled = await copyToSpoil(prepared);
      for (const key of await ofKind(`${gone}/`)) await rm(join(spoiled.repository, key));
      await expectSeen(spoiled.context, `${gone} gone`);
      await expectDrillFails(spoiled.context, `${gone} gone`);
    }
  });

  it("never lists a dump as complete when one of its snapshots is gone", async () => {
    for (const [parts, problem] of [
      [[prepared.newer.database.part], "1 of its 2 halves are not at the destination"],
      [[prepared.newer.sites.part], "1 of its 2 halves are not at the destination"],
      [[prepared.newer.database.part, prepared.newer.sites.part], "2 of its 2 halves are not at the destination"],
    ] as const) {
      await using spoiled = await copyToSpoil(prepared);
      for (const part of parts) await rm(join(spoiled.repository, snapshotKey(part)));

      expect(await problems(spoiled.context)).toEqual([problem, "complete"]);
      await expectSeen(spoiled.context, problem);
      await expectDrillFails(spoiled.context, problem);
    }
  });

  it("sees that the sealed copy of a manifest is damaged or gone", async () => {
    const known = new Set(
      [prepared.newer, prepared.older].flatMap(({ database, sites }) => [database.part, sites.part].map(snapshotKey)),
    );
    const copies = (await ofKind("snapshots/")).filter((key) => !known.has(key));
    expect(copies).toHaveLength(2);
    for (const copy of copies) {
      await using spoiled = await copyToSpoil(prepared);
      await rm(join(spoiled.repository, copy));
      await expectSeen(spoiled.context, "a copy gone");
    }
    await using spoiled = await copyToSpoil(prepared);
    for (const copy of copies) await flip(spoiled.repository, copy, 0.5);
    await expectSeen(spoiled.context, "copies damaged");
    await expectDrillFails(spoiled.context, "copies damaged");
  });

  it("believes no manifest that differs from its sealed copy, whoever computed its digest", async () => {
    const { newer, older } = prepared;
    for (const changes of [
      { takenAt: older.takenAt },
      { warnings: [{ code: "harmless", message: "nothing to see" }] },
      { database: older.database },
      { sites: older.sites },
      { keyProof: { status: "incomplete", sites: [], problems: [] } },
    ] as const satisfies readonly Partial<Manifest>[]) {
      await using spoiled = await copyToSpoil(prepared);
      await writeFile(join(spoiled.repository, manifestOf(newer)), resealed(newer, changes));

      const problem = `manifest of dump ${newer.dumpId} differs from its sealed copy in the repository`;
      await expect(checkDumps(spoiled.context, "objects")).rejects.toThrow(problem);
      if (!("sites" in changes)) continue;
      await expect(drillDump(spoiled.context, "latest")).rejects.toThrow(problem);
      const target = {
        intoDatabase: `${source.schema.name}_forged`,
        intoSites: join(dirname(spoiled.repository), "forged"),
      };
      await expect(restoreDump(spoiled.context, { dump: "latest", ...target })).rejects.toThrow(problem);
    }
    const left = await source.schema.query("SHOW DATABASES LIKE ?", [`${source.schema.name}\\_forged`]);
    expect(left).toEqual([]);
  });

  it("has no use for what belongs to another installation", async () => {
    await using beside = await copyToSpoil(prepared);
    await copyOf(join(foreign.directory, "manifests"), join(beside.repository, "manifests"));
    expect(await problems(beside.context)).toEqual(["complete", "complete"]);
    expect((await checkDumps(beside.context, "read-data")).dumps).toHaveLength(2);

    await using inside = await copyToSpoil(prepared);
    const theirs = `manifests/clinic-b/${foreign.newer.dumpId}.json`;
    await writeFile(
      join(inside.repository, manifestOf(foreign.newer)),
      await readFile(join(foreign.directory, theirs)),
    );
    expect((await problems(inside.context))[0]).toBe(`manifest ${manifestOf(foreign.newer)} belongs to another dump`);
    await expectSeen(inside.context, "another installation's manifest");

    await using forged = await copyToSpoil(prepared);
    await writeFile(
      join(forged.repository, manifestOf(foreign.newer)),
      resealed(foreign.newer, { installation: "clinic-a" }),
    );
    expect((await problems(forged.context))[0]).toBe("2 of its 2 halves are not at the destination");
    for (const part of [foreign.newer.database.part, foreign.newer.sites.part])
      await writeFile(
        join(forged.repository, snapshotKey(part)),
        await readFile(join(foreign.directory, snapshotKey(part))),
      );
    await expectSeen(forged.context, "another installation's snapshots");
    await expectDrillFails(forged.context, "another installation's snapshots");
  });
});

describe.each([
  { form: "gzip files", settings: { compression: "gzip" }, encrypted: false },
  { form: "zstd files", settings: { compression: "zstd" }, encrypted: false },
  { form: "files encrypted with age", settings: { compression: "zstd" }, encrypted: true },
] as const)("dumps as $form", ({ form, settings: chosen, encrypted }) => {
  let prepared: Prepared;
  beforeAll(async () => {
    const identity = await generateX25519Identity();
    const file = join(source.directory, "identity.age");
    if (encrypted) await writeFile(file, `${identity}\n`, { mode: 0o600 });
    const age = encrypted ? { ageRecipients: [await identityToRecipient(identity)], ageIdentityFile: file } : {};
    prepared = await prepare(form.replaceAll(" ", "-"), { settings: { format: "portable", ...chosen, ...age } });
  });
  seesAnyBit(() => prepared, 10);
  manifestPromises(() => prepared);
  const halves = () =>
    [prepared.newer.database.part, prepared.newer.sites.part].map((part) => (part.kind === "object" ? part.key : ""));

  it("see a flipped bit at the beginning, middle and end of either half", { timeout: 120_000 }, async () => {
    for (const key of halves())
      for (const at of [0, 60, 0.5, -1]) {
        await using spoiled = await copyToSpoil(prepared);
        await flip(spoiled.repository, key, at, 5);
        expect(await problems(spoiled.context)).toEqual(["complete", "complete"]);
        await expect(checkDumps(spoiled.context, "read-data")).rejects.toThrow(
          `object ${key} is damaged: its bytes are not those that were written`,
        );
        const found = await failureOf(drillDump(spoiled.context, "latest"));
        expect(found, `drill after ${at} of ${basename(key)}`).toBeInstanceOf(IntegrityError);
      }
  });

  it("are not complete while a half is cut short, empty or gone", async () => {
    for (const key of halves())
      for (const spoil of [
        (directory: string) => cut(directory, key, 0.99),
        (directory: string) => cut(directory, key, 0),
        (directory: string) => rm(join(directory, key)),
      ]) {
        await using spoiled = await copyToSpoil(prepared);
        await spoil(spoiled.repository);

        expect(await problems(spoiled.context)).toEqual(["1 of its 2 halves are not at the destination", "complete"]);
        await expectSeen(spoiled.context, `${key} spoiled`);
        await expectDrillFails(spoiled.context, `${key} spoiled`);
      }
  });

  it("see that a half is that of another dump", async () => {
    const theirs = prepared.older.sites.part;
    const ours = prepared.newer.sites.part;
    if (theirs.kind !== "object" || ours.kind !== "object") throw new Error("portable dumps lie in objects");
    await using spoiled = await copyToSpoil(prepared);
    await writeFile(
      join(spoiled.repository, prepared.newer.database.part.kind === "object" ? prepared.newer.database.part.key : ""),
      await readFile(join(prepared.directory, theirs.key)),
    );
    await expectSeen(spoiled.context, "the wrong half");
    await expectDrillFails(spoiled.context, "the wrong half");
  });
});
