import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import {
  ControlPlaneUnavailableError,
  InPlaceNotAllowedError,
  InvalidInputError,
  OlderVersionError,
  ServiceRunningError,
  TargetNotEmptyError,
  TargetUnsuitableError,
  ToolMissingError,
} from "@openemr-ops/core/errors";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { planRestore, restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlconfPhp } from "@openemr-ops/local/estate/sites";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import mysql from "mysql2/promise";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic, filesOf, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { aSqlconf } from "../../support/sitesTree.ts";

let clinic: Clinic;
let context: DumpContext;
let dumpId: string;
let rows: Awaited<ReturnType<typeof rowsOf>>;
let files: Awaited<ReturnType<typeof filesOf>>;

const live = async () => ({
  rows: await rowsOf(clinic.schema, clinic.schema.name),
  files: await filesOf(clinic.sitesPath),
});
const schemas = async (): Promise<readonly string[]> =>
  (
    await clinic.schema.query(
      "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE ? ORDER BY 1",
      [`${clinic.schema.name}\\_%`],
    )
  ).map(({ name }) => String(name));

/** What happens between the dump and the restore: rows and files come, change and go, and the password is rotated. */
const lifeGoesOn = async (): Promise<void> => {
  const { schema, sitesPath } = clinic;
  await schema.query("DELETE FROM visits WHERE id = 3");
  await schema.query("INSERT INTO patients (name) VALUES ('came later')");
  await schema.query("UPDATE globals SET gl_value = 'renamed' WHERE gl_name = 'openemr_name'");
  await schema.query("INSERT INTO `keys` (name, value) VALUES ('eight', 'a key that the dump does not know')");
  await schema.query("CREATE TABLE module_of_today (id INT PRIMARY KEY)");
  await schema.query("INSERT INTO module_of_today VALUES (7)");
  await writeFile(join(sitesPath, "default/documents/12/later"), "came later");
  await rm(join(sitesPath, "default/documents/12/letter"));
  await writeFile(
    join(sitesPath, "default/sqlconf.php"),
    aSqlconf({ database: schema.name }).replace("'app password'", "'rotated since'"),
  );
};

beforeEach(async () => {
  clinic = await aClinic();
  context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  ({ rows, files } = await live());
  ({ dumpId } = await takeDump(context));
  await lifeGoesOn();
});
afterEach(() => clinic.remove());

const inPlace = (changes: Partial<DumpContext> = {}, dump = dumpId) =>
  restoreDump({ ...context, ...changes }, { dump, inPlace: true });
/** Everything but what a restore has to keep as it is today. */
const butSqlconf = ({ "default/sqlconf.php": _, ...rest }: Readonly<Record<string, string>>) => rest;

describe("a restore in place", () => {
  it("brings back rows, programs, keys and files of the dump and keeps today's connection", async () => {
    const verdict = await inPlace();

    expect(verdict).toMatchObject({ verdict: "passed", dumpId, keyProof: "proven", differences: [] });
    const now = await live();
    expect(now.rows).toEqual(rows);
    expect(butSqlconf(now.files)).toEqual(butSqlconf(files));
    const sqlconf = parseSqlconf(await readFile(join(clinic.sitesPath, "default/sqlconf.php")));
    expect(sqlconf).toMatchObject({ pass: "rotated since", dbase: clinic.schema.name, configured: true });
    expect(await clinic.schema.query("SELECT name FROM `keys` WHERE name = 'eight'")).toEqual([]);
    expect((await schemas()).filter((name) => !name.includes("_before_"))).toEqual([]);
  });

  it("leaves foreign keys, triggers, views and functions that work", async () => {
    await inPlace();

    const { schema } = clinic;
    await expect(schema.query("INSERT INTO visits (pid, note) VALUES (99, 'of nobody')")).rejects.toThrow(
      /foreign key/i,
    );
    await schema.query("INSERT INTO visits (pid, note) VALUES (1, 'after')");
    expect(await schema.query("SELECT visits, visits_of(1) AS counted FROM patients WHERE pid = 1")).toEqual([
      { visits: 3, counted: 3 },
    ]);
    expect(await schema.query("SELECT pid FROM heavy_patients")).toEqual([{ pid: 1 }]);
  });

  it("keeps the text of programs byte by byte", async () => {
    const { schema } = clinic;
    const body = "RETURN 'a ; b\\n -- DELIMITER \u00e9\u{1f99c} \r\n end'";
    await schema.query(`CREATE FUNCTION words() RETURNS TEXT DETERMINISTIC ${body}`);
    const { dumpId: later } = await takeDump(context);
    const definition =
      "SELECT ROUTINE_DEFINITION AS text FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_NAME = 'words'";
    const before = await schema.query(definition, [schema.name]);
    await schema.query("DROP FUNCTION words");
    await inPlace({}, later);

    expect(before).toHaveLength(1);
    expect(await schema.query(definition, [schema.name])).toEqual(before);
  });

  it("takes a safety dump, sets the old state aside and tells where all of it is", async () => {
    const before = await live();
    const verdict = await inPlace();

    const [safety, ...others] = await listDumps(context);
    expect(safety).toMatchObject({ purpose: "safety", complete: true });
    expect(others.map((dump) => dump.dumpId)).toEqual([dumpId]);
    const [aside] = await schemas();
    expect(aside).toMatch(/_before_/);
    const kept = await rowsOf(clinic.schema, aside ?? "");
    expect(kept.patients).toBe(before.rows.patients);
    expect(kept.module_of_today).toBe(before.rows.module_of_today);
    const directory = (await readdir(clinic.sitesPath)).find((name) => name.startsWith(".openemr-ops-before-")) ?? "";
    expect(await filesOf(join(clinic.sitesPath, directory))).toEqual(before.files);
    const next = verdict.next.join("\n");
    for (const place of [aside, directory, safety?.dumpId]) expect(next).toContain(place);
  });

  it("goes back to where it was with the safety dump", async () => {
    const before = await live();
    await inPlace();
    const safety = (await listDumps(context)).find(({ purpose }) => purpose === "safety")?.dumpId ?? "";
    await inPlace({}, safety);

    const now = await live();
    expect(now.rows).toEqual(before.rows);
    expect(butSqlconf(now.files)).toEqual(butSqlconf(before.files));
  });

  it("restores where schema and tree are gone, as after a disaster", async () => {
    await clinic.schema.query(`DROP DATABASE ${clinic.schema.name}`);
    await rm(clinic.sitesPath, { recursive: true });
    const verdict = await inPlace();

    expect(verdict.verdict).toBe("passed");
    const now = await live();
    expect(now.rows).toEqual(rows);
    expect(butSqlconf(now.files)).toEqual(butSqlconf(files));
  });
});

/** A second site beside, whose rows lie in another schema. */
const anotherSite = async (): Promise<void> => {
  await mkdir(join(clinic.sitesPath, "annex/documents"), { recursive: true });
  await writeFile(join(clinic.sitesPath, "annex/sqlconf.php"), aSqlconf({ database: "annex_rows" }));
  await writeFile(join(clinic.sitesPath, "annex/documents/letter"), "of the annex");
};
const planInPlace = () => planRestore(context, { dump: dumpId, inPlace: true });

describe("a restore in place of a tree with sites of several databases", () => {
  it.each([
    { sites: "own" as const, letter: "written since" },
    { sites: "all" as const, letter: "of the annex" },
  ])("replaces $sites sites when told", async ({ sites, letter }) => {
    await anotherSite();
    const { dumpId: both } = await takeDump(context);
    await writeFile(join(clinic.sitesPath, "annex/documents/letter"), "written since");
    await writeFile(join(clinic.sitesPath, "default/documents/12/later"), "came much later");

    expect(await restoreDump(context, { dump: both, inPlace: true, sites })).toMatchObject({ verdict: "passed" });
    expect(await readFile(join(clinic.sitesPath, "annex/documents/letter"), "utf8")).toBe(letter);
    expect(await readFile(join(clinic.sitesPath, "default/documents/12/later"), "utf8")).toBe("came later");
  });
});

describe("a restore in place after one that failed before it touched the live system", () => {
  it("may be of another dump, and leaves nothing of the first", async () => {
    const { dumpId: later } = await takeDump(context);
    const broken = { ...context.tools, mariadb: join(clinic.directory, "no-such-program") };
    await expect(inPlace({ tools: broken })).rejects.toThrow(ToolMissingError);

    expect(await inPlace({}, later)).toMatchObject({ verdict: "passed", dumpId: later });
    expect((await readdir(clinic.sitesPath)).filter((name) => name.includes("restoring"))).toEqual([]);
    expect((await schemas()).filter((name) => name.includes("restoring"))).toEqual([]);
  });
});

describe("a restore in place after one that was killed", () => {
  it("waits for the sessions that the server has not closed yet", async () => {
    const { host, port, name, restoreUser } = clinic.schema;
    const killed = await mysql.createConnection({ host, port, ...restoreUser, database: name });
    // The server notices that the client is gone when the statement comes to its end.
    killed.query("SELECT BENCHMARK(200000000, CRC32('a'))").catch(() => {});
    await vi.waitFor(async () => {
      const busy = await clinic.schema.query(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO LIKE 'SELECT BENCH%'",
        [name],
      );
      expect(busy).toHaveLength(1);
    });
    killed.destroy();

    expect(await inPlace()).toMatchObject({ verdict: "passed" });
  });

  it("is refused when the file that says how far it came is none of this program's", async () => {
    const restores = join(context.stateDirectory, "restores");
    await mkdir(restores, { recursive: true });
    await writeFile(join(restores, "clinic-a.json"), "");
    await truncate(join(restores, "clinic-a.json"), 4 * 2 ** 30);

    await expect(inPlace()).rejects.toThrow(InvalidInputError);
    await rm(join(restores, "clinic-a.json"));
    execFileSync("mkfifo", [join(restores, "clinic-a.json")]);
    await expect(inPlace()).rejects.toThrow(InvalidInputError);
  });
});

/** Nothing may have changed but the record of the job. */
const untouched = async (attempt: () => Promise<unknown>, expected: new (...args: never[]) => Error, said: RegExp) => {
  const before = await live();
  const dumps = await listDumps(context);
  await expect(attempt()).rejects.toSatisfy(
    (error) => error instanceof expected && said.test((error as Error).message),
    `${expected.name} saying ${said}`,
  );
  expect(await live()).toEqual(before);
  expect(await schemas()).toEqual([]);
  expect((await readdir(clinic.sitesPath)).filter((name) => name.startsWith("."))).toEqual([]);
  expect(await listDumps(context)).toEqual(dumps);
};

describe("a restore in place is refused, and nothing is touched,", () => {
  it("without the flag", async () => {
    const { name } = clinic.schema;
    const beside = (intoDatabase: string, intoSites: string) => () =>
      restoreDump(context, { dump: dumpId, intoDatabase, intoSites });
    await untouched(beside(name, join(clinic.directory, "new")), InPlaceNotAllowedError, /in place/);
    await untouched(beside(`${name}_new`, clinic.sitesPath), InPlaceNotAllowedError, /in place/);
    await untouched(beside(`${name}_new`, join(clinic.sitesPath, "default/new")), InPlaceNotAllowedError, /in place/);
    await untouched(() => restoreDump(context, { dump: dumpId }), InvalidInputError, /intoDatabase.*inPlace/s);
  });

  it("while OpenEMR answers at its address", async () => {
    const server = createServer((_, response) => response.writeHead(302, { location: "login" }).end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await untouched(() => inPlace({ url }), ServiceRunningError, /still answers.*stop OpenEMR first/s);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    { what: "is silent", answer: () => {} },
    { what: "breaks off", answer: (socket: Socket) => socket.resetAndDestroy() },
    { what: "speaks another protocol", answer: (socket: Socket) => socket.end("220 ready\r\n") },
  ])("while its address $what, for that is not a stop", { timeout: 20_000 }, async ({ answer }) => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await untouched(() => inPlace({ url }), ServiceRunningError, /unknown.*refuses connections/s);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  const service = { name: "service openemr of cluster clinic", howToStop: "set its desired count to 0" };
  it.each([
    { what: "runs OpenEMR", state: async () => ({ running: 1, wanted: 1 }), words: /runs 1 .*desired count to 0/s },
    { what: "will start it", state: async () => ({ running: 0, wanted: 2 }), words: /starts 2 .*desired count to 0/s },
    {
      what: "gives no answer",
      state: () => Promise.reject(new ControlPlaneUnavailableError("looking at the service failed")),
      words: /unknown.*looking at the service failed/s,
    },
  ])("while the container service $what", async ({ state, words }) => {
    await untouched(() => inPlace({ service: { ...service, state } }), ServiceRunningError, words);
  });

  it.each(["the restore's", "OpenEMR's"])("while a session of %s user is open in the schema", async (whose) => {
    const { host, port, name, dumpUser, restoreUser } = clinic.schema;
    const who = whose === "OpenEMR's" ? dumpUser : restoreUser;
    const sqlconf = join(clinic.sitesPath, "default/sqlconf.php");
    await writeFile(sqlconf, sqlconfPhp({ host, port, name, ...dumpUser }));
    const session = await mysql.createConnection({ host, port, ...who, database: name });
    try {
      await untouched(() => inPlace(), ServiceRunningError, /1 sessions are open.*stop OpenEMR first/s);
    } finally {
      await session.end();
    }
  });

  it("when the code is older than the dump", async () => {
    const codePath = join(clinic.directory, "code");
    await mkdir(codePath);
    await writeFile(
      join(codePath, "version.php"),
      "<?php\n$v_major = '7';\n$v_minor = '0';\n$v_patch = '3';\n$v_tag = '';\n$v_realpatch = '0';\n$v_database = 517;\n$v_acl = 12;\n",
    );
    await untouched(() => inPlace({ codePath }), OlderVersionError, /8\.1\.0.*7\.0\.3/s);
  });

  it("when no code is to be read and the live schema is older than the dump", async () => {
    await clinic.schema.query("UPDATE version SET v_major = 7, v_minor = 0, v_patch = 3, v_database = 517");
    await untouched(() => inPlace(), OlderVersionError, /8\.1\.0.*7\.0\.3/s);
  });

  it("while a restore of another dump has begun to replace the live system, which goes on first", async () => {
    const { dumpId: later } = await takeDump(context);
    const begun = { restoreId: "01K9ZV6T5W8QH3N2R4X7BCDEFG", dumpId, phase: "database" };
    await mkdir(join(context.stateDirectory, "restores"), { recursive: true });
    await writeFile(join(context.stateDirectory, "restores/clinic-a.json"), JSON.stringify(begun));

    await untouched(
      () => inPlace({}, later),
      TargetNotEmptyError,
      new RegExp(`restore in place of dump ${dumpId} was interrupted`),
    );
  });

  it("where the tree also holds a site of another database, until somebody says what is to become of it", async () => {
    await anotherSite();
    await untouched(() => inPlace(), TargetUnsuitableError, /sites of other databases.*site annex.*own.*all/s);
    await untouched(() => planInPlace(), TargetUnsuitableError, /sites of other databases/);
  });

  it("when the schema for its progress holds something that no restore wrote there", async () => {
    const { schema } = clinic;
    const state = `${schema.name}_restore_state_${hash("sha256", context.installation).slice(0, 8)}`;
    await schema.query(`CREATE DATABASE ${state}`);
    const before = await live();
    for (const statement of [
      `CREATE TABLE ${state}.of_somebody (id INT PRIMARY KEY)`,
      `RENAME TABLE ${state}.of_somebody TO ${state}.progress`,
      `ALTER TABLE ${state}.progress ADD state TEXT DEFAULT '{"phase":"proven"}'`,
      `INSERT INTO ${state}.progress (id) VALUES (1)`,
    ]) {
      await schema.query(statement);
      if (statement.startsWith("RENAME") || statement.startsWith("ALTER")) continue;
      await expect(inPlace()).rejects.toSatisfy(
        (error) => error instanceof TargetNotEmptyError && error.message.includes(state),
      );
    }
    expect(await live()).toEqual(before);
  });

  it("when the dump is not there", async () => {
    await untouched(() => inPlace({}, "01K9ZV6T5W8QH3N2R4X7BCDEFG"), Error, /no dump 01K9ZV6T5W8QH3N2R4X7BCDEFG/);
  });
});
