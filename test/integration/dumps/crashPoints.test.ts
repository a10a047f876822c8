import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "@openemr-ops/core/ids";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { findDumps, genuineManifest, listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, filesOf, rowsOf } from "../../support/aClinic.ts";
import { aFewAtATime, type CrashedRun, crashAt, pointsOf, settleOrphans } from "../../support/crashes.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { type RealCommandLine, realCommandLine } from "../../support/realCommandLine.ts";

const portable = { format: "portable" } as const;
const hour = 3_600_000;
const day = 24 * hour;

const happenedIn = ({ killed, effects }: CrashedRun): readonly string[] => (killed ? effects.slice(0, -1) : effects);

/** Where the program was killed, for messages. */
const at = ({ effects }: CrashedRun): string => `killed before: ${effects.at(-1)}`;

/** Statements and programs interleave anew each time, so a run may come to its end just before its last points. */
const expectKilled = (run: CrashedRun): void => {
  if (!run.killed) expect(run, run.stderr).toMatchObject({ exitCode: 0 });
};

const keysOf = async (context: DumpContext): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of context.destination.list("")) keys.push(key);
  return keys;
};

/** Every dump that is listed as complete has all its bytes. */
const assertListedDumpsAreWhole = async (context: DumpContext, seen: Set<string>, where: string): Promise<void> => {
  await context.store.recover(context);
  for (const dump of await findDumps(context)) {
    const { listed } = dump;
    expect(listed, where).toMatchObject({ complete: true });
    if (seen.has(listed.dumpId)) continue;
    seen.add(listed.dumpId);
    const manifest = await genuineManifest(context, dump);
    const { signal, progress } = context;
    await context.store.verify("read-data", [manifest.database.part, manifest.sites.part], { signal, progress });
  }
};

describe.each([{ format: "portable" as const }, { format: "restic" as const }])("a dump ($format)", ({ format }) => {
  let clinic: Clinic;
  let context: DumpContext;
  let program: RealCommandLine;
  beforeAll(async () => {
    clinic = await aClinic();
    const options = { ...clinic, dumps: { format } };
    context = await contextFor(options);
    program = await realCommandLine(options);
  });
  afterAll(() => clinic.remove());

  it("counts only when its manifest is there, wherever it is killed, and the next one needs no tidying up", async () => {
    const whole = new Set<string>();
    let run: CrashedRun;
    let point = 0;
    do {
      const before = (await listDumps(context)).length;
      run = await crashAt(program, ["dump"], ++point, clinic.directory);
      const done = happenedIn(run);
      const sealed = done.some((effect) => /^rename .*\/manifests\//.test(effect));
      const added = (await listDumps(context)).length - before;
      // A repository has it sealed before the plain manifest is there.
      if (sealed || format === "portable") expect(added, at(run)).toBe(sealed ? 1 : 0);
      else expect([0, 1], at(run)).toContain(added);
      await settleOrphans(clinic.directory, "end");
      await assertListedDumpsAreWhole(context, whole, at(run));
    } while (run.killed);

    expect(run).toMatchObject({ exitCode: 0, json: { complete: true } });
    expect(point).toBeGreaterThan(15);
    expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed" });
    expect(whole.size).toBeGreaterThan(1); // also those of runs that were killed after the manifest
  }, 180_000);
});

describe.each([{ format: "portable" as const }, { format: "restic" as const }])(
  "a retention run ($format)",
  ({ format }) => {
    const start = Date.now();
    let clinic: Clinic;
    let verified: string;
    let newest: string;
    const placeOf = (name: string) => ({
      ...clinic,
      directory: join(clinic.directory, name),
      dumps: { format, retention: { keepLast: 1 } },
    });
    beforeAll(async () => {
      clinic = await aClinic({ programs: false });
      const daysAgo = (days: number) =>
        contextFor({ ...placeOf("prepared"), surroundings: { now: () => new Date(start - days * day) } });
      const first = await daysAgo(9);
      await takeDump(first);
      ({ dumpId: verified } = await takeDump(await daysAgo(8)));
      await drillDump(await daysAgo(7), verified);
      await takeDump(await daysAgo(6));
      ({ dumpId: newest } = await takeDump(await daysAgo(5)));
      if (format === "restic") return;
      // What a dump left that was killed before its manifest, and a check of it that somebody wrote down.
      const orphan = ulid(new Date(start - 5 * day));
      await first.destination.put(`portable/${orphan}/database.sql.zst`, Buffer.from("half"));
      await first.destination.put(
        `verifications/clinic-a/${orphan}/2026-01-01T00-00-00.000Z_objects.json`,
        Buffer.from("{}"),
      );
    }, 120_000);
    afterAll(() => clinic.remove());

    const aCopy = async (name: string) => {
      const options = placeOf(name);
      await cp(join(clinic.directory, "prepared"), options.directory, { recursive: true });
      return { context: await contextFor(options), program: await realCommandLine(options), options };
    };

    it("never loses the newest verified dump, wherever it is killed, and ends as if nothing had happened", async () => {
      const undisturbed = await aCopy("undisturbed");
      const whole = await crashAt(undisturbed.program, ["retention"], 0, clinic.directory);
      expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });
      const kept = [newest, verified];
      expect((await listDumps(undisturbed.context)).map(({ dumpId }) => dumpId)).toEqual(kept);
      const keys = await keysOf(undisturbed.context);

      // What restic does costs seconds; the rest is shown with the other format.
      const points = pointsOf(whole.effects).filter(
        (point) => format === "portable" || /restic|manifests/.test(whole.effects[point - 1] ?? ""),
      );
      expect(points.length).toBeGreaterThan(3);
      await aFewAtATime(points, async (point) => {
        const { context, program, options } = await aCopy(`point-${point}`);
        const run = await crashAt(program, ["retention"], point, clinic.directory);
        expectKilled(run);
        await settleOrphans(options.directory, point % 2 === 0 ? "die" : "end");
        const left = await listDumps(context);
        expect(
          left.every(({ complete }) => complete),
          at(run),
        ).toBe(true);
        expect(
          left.map(({ dumpId }) => dumpId),
          at(run),
        ).toEqual(expect.arrayContaining(kept));
        await assertListedDumpsAreWhole(context, new Set(), at(run));

        const again = await program.run(["retention"]);
        expect(again, `${at(run)}\n${again.stderr}`).toMatchObject({ exitCode: 0 });
        expect((await listDumps(context)).map(({ dumpId }) => dumpId)).toEqual(kept);
        // Packs of restic are named by their content, and what a killed prune wrote anew has another name.
        if (format === "portable") expect(await keysOf(context), at(run)).toEqual(keys);
        await assertListedDumpsAreWhole(context, new Set(), at(run));
      });
    }, 240_000);
  },
);

describe.each([{ format: "portable" as const }, { format: "restic" as const }])("a copy ($format)", ({ format }) => {
  let clinic: Clinic;
  const placeOf = (name: string) => {
    const directory = join(clinic.directory, name);
    const destination = `file://${join(directory, "second")}`;
    const options = { ...clinic, directory, dumps: { format } };
    return {
      directory,
      first: { ...options, dumps: { format, copies: [{ destination }] } },
      second: { ...options, dumps: { format, destination } },
    };
  };
  beforeAll(async () => {
    clinic = await aClinic({ programs: false });
    const first = await contextFor(placeOf("prepared").first);
    await takeDump(first);
    await takeDump(first);
  }, 60_000);
  afterAll(() => clinic.remove());

  const aPlace = async (name: string) => {
    const place = placeOf(name);
    await cp(join(clinic.directory, "prepared"), place.directory, { recursive: true });
    return { ...place, program: await realCommandLine(place.first), context: await contextFor(place.second) };
  };

  it("lists no dump that is not whole, wherever it is killed, and the next one completes it", async () => {
    const undisturbed = await aPlace("undisturbed");
    const whole = await crashAt(undisturbed.program, ["copy"], 0, clinic.directory);
    expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });
    const both = (await listDumps(undisturbed.context)).map(({ dumpId }) => dumpId);
    expect(both).toHaveLength(2);

    const points = pointsOf(whole.effects);
    expect(points.length).toBeGreaterThan(8);
    await aFewAtATime(points, async (point) => {
      const { directory, program, context } = await aPlace(`point-${point}`);
      const run = await crashAt(program, ["copy"], point, clinic.directory);
      expectKilled(run);
      await settleOrphans(directory, point % 2 === 0 ? "die" : "end");
      await assertListedDumpsAreWhole(context, new Set(), at(run));

      const again = await program.run(["copy"]);
      expect(again, `${at(run)}\n${again.stderr}`).toMatchObject({ exitCode: 0 });
      const left = await listDumps(context);
      expect(left, at(run)).toMatchObject(both.map((dumpId) => ({ dumpId, complete: true, sealed: true })));
      await assertListedDumpsAreWhole(context, new Set(), at(run));
    });
    expect(await drillDump(undisturbed.context, "latest")).toMatchObject({ verdict: "passed" });
  }, 300_000);
});

describe("a restore beside the live system", () => {
  let clinic: Clinic;
  let rows: Awaited<ReturnType<typeof rowsOf>>;
  let files: Awaited<ReturnType<typeof filesOf>>;
  beforeAll(async () => {
    clinic = await aClinic();
    rows = await rowsOf(clinic.schema, clinic.schema.name);
    files = await filesOf(clinic.sitesPath);
    await takeDump(await contextFor({ ...clinic, dumps: portable }));
  });
  afterAll(() => clinic.remove());

  /** A program with a state of its own, for restores of one installation never run side by side. */
  const aRestore = async (point: number) => {
    const directory = join(clinic.directory, `point-${point}`);
    await mkdir(directory);
    const destination = `file://${clinic.directory}/repository`;
    const database = `${clinic.schema.name}_${point}`;
    const sites = join(directory, "restored");
    const target = ["--into-database", database, "--into-sites", sites];
    return {
      program: await realCommandLine({ ...clinic, directory, dumps: { ...portable, destination } }),
      database,
      sites,
      args: ["restore", "--dump", "latest", "--for", "host", ...target],
    };
  };

  it("continues with the same command, wherever it was killed, and ends with the same rows and files", async () => {
    const undisturbed = await aRestore(0);
    const whole = await crashAt(undisturbed.program, undisturbed.args, 0, clinic.directory);
    expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });

    await aFewAtATime(pointsOf(whole.effects), async (point) => {
      const { program, args, database, sites } = await aRestore(point);
      const run = await crashAt(program, args, point, clinic.directory);
      expectKilled(run);
      if (point % 2 === 0) await settleOrphans(database, "die");
      const again = await program.run(args);
      // Once all is done, the target counts as anybody's.
      const done = happenedIn(run).some((effect) => /^rm .*\/publishing\/[0-9a-f]+\.json$/.test(effect));
      const end = done
        ? { exitCode: 3, json: { error: { name: "TargetNotEmptyError" } } }
        : { exitCode: 0, json: { verdict: "passed" } };
      expect(again, `${at(run)}\n${again.stderr}`).toMatchObject(end);
      expect(await rowsOf(clinic.schema, database), at(run)).toEqual(rows);
      expect(await filesOf(sites), at(run)).toMatchObject({ ...files, "default/sqlconf.php": expect.any(String) });
      expect(
        (await readdir(sites)).filter((name) => name.startsWith(".")),
        at(run),
      ).toEqual([]);
    });
    expect(await rowsOf(clinic.schema, clinic.schema.name)).toEqual(rows);
    expect(await filesOf(clinic.sitesPath)).toEqual(files);
  }, 240_000);
});

describe("a restore in place", () => {
  const aHalfDone = async () => {
    const clinic = await aClinic();
    const options = { ...clinic, dumps: portable };
    const { schema, sitesPath } = clinic;
    const program = await realCommandLine(options);
    const dumped = { rows: await rowsOf(schema, schema.name), files: await filesOf(sitesPath) };
    await takeDump(await contextFor(options));
    await schema.query("DELETE FROM visits WHERE id = 3");
    await schema.query("INSERT INTO patients (name) VALUES ('came later')");
    await schema.query("CREATE TABLE module_of_today (id INT PRIMARY KEY)");
    await schema.query("INSERT INTO module_of_today VALUES (7)");
    await writeFile(join(sitesPath, "default/documents/12/later"), "came later");
    await mkdir(join(sitesPath, "second"));
    await writeFile(join(sitesPath, "second/notes.txt"), "a directory that the dump does not know");
    const old = { rows: await rowsOf(schema, schema.name), files: await filesOf(sitesPath) };
    return { clinic, options, program, dumped, old };
  };
  const inPlace = ["restore", "--in-place", "--dump", "latest"];

  /** Rows and files of the live place and of what was set aside. */
  const everything = async ({ schema, sitesPath }: Clinic) => {
    const found = await schema.query(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ? OR SCHEMA_NAME LIKE ?",
      [schema.name, `${schema.name}\\_before\\_%`],
    );
    const rows = new Set<string>();
    for (const { name } of found)
      for (const [table, digest] of Object.entries(await rowsOf(schema, String(name)))) rows.add(`${table} ${digest}`);
    const aside = (await readdir(sitesPath)).filter((name) => name.startsWith(".openemr-ops-before-"));
    const files = new Set<string>();
    for (const directory of [sitesPath, ...aside.map((name) => join(sitesPath, name))])
      for (const [path, digest] of Object.entries(await filesOf(directory))) files.add(`${path} ${digest}`);
    return { rows, files };
  };
  /** Triggers, views and routines go before the tables; the safety dump has them. */
  const isTable = ([name]: readonly [string, string]) => name !== "(programs)" && name !== "heavy_patients";

  it("never loses the old state, wherever its container is lost, and the same command brings it to its end", async () => {
    const model = await aHalfDone();
    const whole = await crashAt(model.program, inPlace, 0, model.clinic.directory);
    expect(whole, whole.stderr).toMatchObject({ exitCode: 0 });
    await model.clinic.remove();
    // How a dump and a load bear it is shown above: here comes what only a restore in place does, and a few of those.
    const loads = /^(sql (CREATE TABLE|DROP TABLE|INSERT)|started|rm .*docker-)/;
    const alike = /^writeFile|\/state\/(jobs|locks)\//; // a name is published right after
    const begun = whole.effects.findIndex((effect) => /_restore_state_/.test(effect));
    const points = pointsOf(whole.effects).filter((point) => {
      const effect = whole.effects[point - 1] ?? "";
      if (point <= begun || alike.test(effect)) return false;
      return !loads.test(effect) || point % 4 === 0;
    });
    expect(points.length).toBeGreaterThan(15);

    await aFewAtATime(
      points,
      async (point) => {
        const { clinic, options, program, dumped, old } = await aHalfDone();
        const run = await crashAt(program, inPlace, point, clinic.directory);
        expectKilled(run);
        if (point % 2 === 0) await settleOrphans(clinic.schema.name, "die");
        const kept = await everything(clinic);
        for (const [table, digest] of Object.entries(old.rows).filter(isTable))
          expect(kept.rows, `${at(run)}: ${table}`).toContain(`${table} ${digest}`);
        for (const [path, digest] of Object.entries(old.files))
          expect(kept.files, `${at(run)}: ${path}`).toContain(`${path} ${digest}`);

        await rm(join(clinic.directory, "state"), { recursive: true, force: true }); // a container's disk goes with it
        const again = await program.run(inPlace);
        expect(again, `${at(run)}\n${again.stderr}`).toMatchObject({ exitCode: 0, json: { verdict: "passed" } });
        const { schema, sitesPath } = clinic;
        expect(await rowsOf(schema, schema.name), at(run)).toEqual(dumped.rows);
        expect(await filesOf(sitesPath), at(run)).toEqual({
          ...dumped.files,
          "default/sqlconf.php": expect.any(String),
        });
        const aside = await everything(clinic);
        for (const [table, digest] of Object.entries(old.rows).filter(isTable))
          expect(aside.rows, `${at(run)}: ${table}`).toContain(`${table} ${digest}`);
        const safety = (await listDumps(await contextFor(options))).filter(({ purpose }) => purpose === "safety");
        expect(safety.length, at(run)).toBeGreaterThan(0);
        const left = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ?";
        expect(await schema.query(left, [`${schema.name}\\_restor%`]), at(run)).toEqual([]);
        await clinic.remove();
      },
      4,
    );
  }, 300_000);
});
