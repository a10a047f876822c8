import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DatabaseAccessDeniedError,
  DatabaseFailedError,
  DatabaseUnavailableError,
  DestinationFullError,
  IntegrityError,
  InvalidInputError,
  JobAbortedError,
  ResidencyError,
  TargetNotEmptyError,
} from "@openemr-ops/core/errors";
import type { DatabaseExportContext } from "@openemr-ops/exports/context";
import { exportDatabase, planDatabaseExport } from "@openemr-ops/exports/database/exportDatabase";
import { withColumnChoices } from "@openemr-ops/exports/profiles/columnChoices";
import { full } from "@openemr-ops/exports/profiles/full";
import type { Profile } from "@openemr-ops/exports/profiles/profile";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { analyticsPython } from "../../support/analyticsPython.ts";
import { compareExport, manifestIn } from "../../support/compareExport.ts";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { exportContextOf } from "../../support/exportContext.ts";
import { type MemoryDestination, memoryDestination } from "../../support/memoryDestination.ts";
import { readByOthers } from "../../support/readByOthers.ts";
import { runStatements } from "../../support/runStatements.ts";

const child = join(import.meta.dirname, "../../support/exportInChild.ts");
let directory: string;
let schema: FreshSchema;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "database-export-"));
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(async () => {
  schema = await freshSchema();
});
afterEach(() => schema.drop());

const make = (...statements: readonly string[]) => runStatements(schema, schema.name, statements);
const exported = (destination: Destination, own: Partial<DatabaseExportContext> = {}, tables?: readonly string[]) =>
  exportDatabase(exportContextOf(schema, destination, own), { exportId: "one", tables });
const hasSuccess = (destination: MemoryDestination) => destination.keys().some((key) => key.endsWith("_SUCCESS"));

/** A destination that lets something happen before it takes an object. */
const beforePut = (inner: Destination, happen: (key: string) => Promise<void>): Destination => ({
  ...inner,
  put: async (key: string, body: Readable | Buffer) => {
    await happen(key);
    return inner.put(key, body);
  },
});

/** Enough that the next table is not read before the first one is stored. */
const aLargeTable = (name: string): readonly string[] => [
  `CREATE TABLE ${name} (id INT PRIMARY KEY, words LONGTEXT)`,
  `INSERT INTO ${name} SELECT seq, REPEAT('some words ', 1000) FROM seq_1_to_600`,
];

describe("what an export holds", () => {
  it("is described beside it, with what was lost, and is complete when _SUCCESS is there", async () => {
    await make(
      "CREATE TABLE visits (id INT PRIMARY KEY, day DATE NOT NULL, at DATETIME NULL, words VARCHAR(40), `odd, name` BIGINT UNSIGNED, INDEX (day))",
      "INSERT INTO visits VALUES (1, '0000-00-00', '2024-00-10 01:02:03', '', 18446744073709551615), (2, '2024-02-29', NULL, NULL, NULL)",
      "ALTER TABLE visits MODIFY words VARBINARY(40)",
      "UPDATE visits SET words = X'61FF62' WHERE id = 2",
      "SET SESSION sql_mode = ''",
      "ALTER TABLE visits ADD v2 VARCHAR(40) CHARACTER SET utf8mb4",
      "CREATE VIEW seen AS SELECT * FROM visits",
      "CREATE TABLE old (id INT) ENGINE=MyISAM",
    );
    const root = join(directory, schema.name);

    const result = await exported(fileDestination(root));

    const at = (name: string) => readFileSync(join(root, "database/one", name), "utf8");
    expect(at("_SUCCESS")).toBe("");
    expect(result).toMatchObject({
      exportId: "one",
      profile: "everything",
      tables: 2,
      rows: 2,
      skipped: [{ table: "seen", reason: "a view: its rows are those of tables" }],
    });
    const manifest = manifestIn(join(root, "database/one"));
    expect(manifest.tables.map(({ table, rows, inSnapshot }) => ({ table, rows, inSnapshot }))).toEqual([
      { table: "old", rows: 0, inSnapshot: false },
      { table: "visits", rows: 2, inSnapshot: true },
    ]);
    expect(manifest.snapshotAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const description = JSON.parse(at("_schema.json"));
    expect(description.tables[1]).toMatchObject({ table: "visits", athenaTable: "visits", athenaByPlace: true });
    expect(description.tables[1].columns).toMatchObject([
      {
        name: "id",
        mysqlType: "int(11)",
        parquetType: "INT32",
        athena: { name: "id", type: "int" },
        treatment: "kept",
      },
      { name: "day", parquetType: "INT32 DATE", nulledDates: 1 },
      { name: "at", parquetType: "INT64 TIMESTAMP(MICROS,no zone)", nulledDates: 1 },
      { name: "words", parquetType: "BYTE_ARRAY" },
      {
        name: "odd, name",
        parquetType: "FIXED_LEN_BYTE_ARRAY(9) DECIMAL(20,0)",
        athena: { name: "odd__name", type: "decimal(20,0)" },
      },
      { name: "v2" },
    ]);
    expect(at("_athena.sql")).toContain("CREATE EXTERNAL TABLE IF NOT EXISTS `visits` (\n  `id` int,\n  `day` date,");
    expect(at("_athena.sql")).toContain(`LOCATION '${result.location}/${schema.name}.visits/'`);
    expect(await compareExport(schema, join(root, "database/one"))).toEqual([]);
  });

  it("follows the profile: expressions, conditions, changed texts, columns that stay", async () => {
    await make(
      "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(40), born DATE, secret VARCHAR(40), uuid BINARY(2))",
      "INSERT INTO people VALUES (1, 'Ann', '1970-05-06', 's3cret', X'00FF'), (2, NULL, NULL, 's3cret', NULL), (3, 'Zoë', '2001-01-01', 's3cret', X'0102')",
      "CREATE TABLE passwords (id INT PRIMARY KEY)",
    );
    const profile: Profile = {
      name: "some",
      plan: () => ({
        tables: [
          {
            table: "people",
            columns: [
              { name: "id", transform: (text) => `p${text.toString()}`, treatment: "pseudonym" },
              { name: "name", transform: (text) => text.toString().toUpperCase(), treatment: "upper case" },
              { name: "born", expression: "YEAR(born)", treatment: "year" },
              { name: "uuid", expression: "HEX(uuid)", transform: () => undefined, treatment: "nothing" },
            ],
            dropped: [{ name: "secret", reason: "a password" }],
            where: "id <> 3 OR name LIKE 'Z%'",
          },
        ],
        skipped: [{ table: "passwords", reason: "passwords never leave" }],
      }),
    };
    const root = join(directory, schema.name);

    const result = await exported(fileDestination(root), { profile });

    expect(result.skipped).toEqual([{ table: "passwords", reason: "passwords never leave" }]);
    const [read] = readByOthers([join(root, `database/one/${schema.name}.people`)]);
    const hex = (text: string) => Buffer.from(text).toString("hex");
    expect(read?.duckdb.types).toMatchObject({ id: "VARCHAR", name: "VARCHAR", born: "INTEGER", uuid: "VARCHAR" });
    expect(read?.duckdb.rows).toEqual([
      [hex("p1"), hex("ANN"), "1970", null],
      [hex("p2"), null, null, null],
      [hex("p3"), hex("ZOË"), "2001", null],
    ]);
    const text = readFileSync(join(root, "database/one/_schema.json"), "utf8");
    expect(text).not.toContain("s3cret");
    expect(JSON.parse(text).tables[0].dropped).toEqual([{ name: "secret", reason: "a password" }]);
  });

  it("has booleans, UUIDs as text and no blobs where that is chosen, and falsifies no number", async () => {
    await make(
      "CREATE TABLE forms (id INT PRIMARY KEY, uuid BINARY(16), active TINYINT(1), authorized TINYINT(1) NOT NULL, unused TINYINT(1), scan LONGBLOB)",
      "INSERT INTO forms VALUES (1, X'00112233445566778899AABBCCDDEEFF', 1, 1, NULL, 'x'), (2, NULL, NULL, 2, NULL, NULL), (3, X'00', 0, 0, NULL, '')",
      "CREATE TABLE old (active TINYINT(1)) ENGINE=MyISAM",
      "INSERT INTO old VALUES (1)",
    );
    const profile = withColumnChoices(full(), { booleans: true, uuids: "text", blobs: "drop" });
    const root = join(directory, schema.name);

    const planned = await planDatabaseExport(exportContextOf(schema, memoryDestination(), { profile }), {});
    await exported(fileDestination(root), { profile });

    expect(planned.tables[0]?.columns.map(({ treatment }) => treatment)).toEqual([
      "kept",
      "UUID as text",
      ...Array<string>(3).fill("boolean where all values are 0 or 1"),
    ]);
    const [forms, old] = readByOthers(
      ["forms", "old"].map((name) => join(root, `database/one/${schema.name}.${name}`)),
    );
    const hex = (text: string) => Buffer.from(text).toString("hex");
    expect(forms?.pyarrow.types).toEqual({
      id: "int32",
      uuid: "string",
      active: "bool",
      authorized: "int32",
      unused: "bool",
    });
    expect(forms?.duckdb.types).toMatchObject({ active: "BOOLEAN", authorized: "INTEGER", unused: "BOOLEAN" });
    for (const reader of Object.values(forms ?? {}))
      expect(reader.rows).toEqual([
        ["1", hex("00112233-4455-6677-8899-aabbccddeeff"), "True", "1", null],
        ["2", null, null, "2", null],
        ["3", hex("00000000-0000-0000-0000-000000000000"), "False", "0", null],
      ]);
    expect(old?.duckdb.types).toEqual({ active: "INTEGER" });
    const described = JSON.parse(readFileSync(join(root, "database/one/_schema.json"), "utf8")).tables;
    expect(described[0]).toMatchObject({
      columns: [
        {},
        { name: "uuid", parquetType: "BYTE_ARRAY STRING" },
        { name: "active", mysqlType: "tinyint(1)", parquetType: "BOOLEAN", athena: { type: "boolean" } },
        { name: "authorized", parquetType: "INT32", note: "a number: not all values are 0 or 1" },
        { name: "unused", parquetType: "BOOLEAN" },
      ],
      dropped: [{ name: "scan", reason: 'a blob, and exports.database.blobs is "drop"' }],
    });
    expect(described[1].columns[0].note).toBe("a number: a table of MyISAM has no snapshot to judge its values in");
  });

  it("is of one moment while another session writes", async () => {
    await make(
      "CREATE TABLE a_debits (id INT AUTO_INCREMENT PRIMARY KEY, n INT, words CHAR(200))",
      "CREATE TABLE z_credits (id INT AUTO_INCREMENT PRIMARY KEY, n INT)",
      "INSERT INTO a_debits SELECT NULL, seq, REPEAT('x', 200) FROM seq_1_to_30000",
      "INSERT INTO z_credits SELECT NULL, n FROM a_debits",
    );
    const stop = new AbortController();
    const written: number[] = [];
    const write = async (): Promise<void> => {
      for (let n = 1_000_000; !stop.signal.aborted; n++) {
        await schema.as(schema.restoreUser, [
          "START TRANSACTION",
          `INSERT INTO a_debits (n) VALUES (${n})`,
          `INSERT INTO z_credits (n) VALUES (${n})`,
          `DELETE FROM a_debits WHERE n = ${written.length + 1}`,
          `DELETE FROM z_credits WHERE n = ${written.length + 1}`,
          "COMMIT",
        ]);
        written.push(n);
      }
    };
    const root = join(directory, schema.name);
    const writing = write();
    let during = 0;
    // The second table is read after more was written: without a snapshot both would differ.
    const destination = beforePut(fileDestination(root), async (key) => {
      if (!key.includes("a_debits")) return;
      const before = written.length;
      while (written.length < before + 3) await new Promise((resolve) => setImmediate(resolve));
      during = written.length - before;
    });

    await exported(destination).finally(() => stop.abort());
    await writing;

    expect(during).toBeGreaterThanOrEqual(3);
    const read = readByOthers(
      ["a_debits", "z_credits"].map((name) => join(root, `database/one/${schema.name}.${name}`)),
    );
    const [debits, credits] = read.map(({ pyarrow }) => pyarrow.rows.map((row) => row[1]).sort());
    expect(debits).toEqual(credits);
  });
});

describe("what is asked wrongly", () => {
  beforeEach(() => make("CREATE TABLE visits (id INT PRIMARY KEY)", "CREATE VIEW seen AS SELECT 1 AS one"));

  it.each([
    { tables: ["vists"], message: "there is no table vists that the user may read; did you mean visits?" },
    { tables: ["seen"], message: "seen is a view" },
    {
      tables: ["visits", "x", "y"],
      message: "there is no table x that the user may read; tables: there is no table y",
    },
  ])("names $tables", async ({ tables, message }) => {
    const destination = memoryDestination();

    await expect(exported(destination, {}, tables)).rejects.toThrow(InvalidInputError);
    await expect(planDatabaseExport(exportContextOf(schema, destination), { tables })).rejects.toThrow(message);
    expect(destination.keys()).toEqual([]);
  });

  it("names a table that does not leave with the profile", async () => {
    const never: Profile = {
      name: "never",
      plan: () => ({ tables: [], skipped: [{ table: "visits", reason: "not for anyone" }] }),
    };

    await expect(exported(memoryDestination(), { profile: never }, ["visits"])).rejects.toThrow(
      "visits does not leave with this profile: not for anyone",
    );
  });

  it("takes the directory of another run, and leaves it as it was", async () => {
    const destination = memoryDestination({ "database/one/_SUCCESS": "" });

    await expect(exported(destination)).rejects.toThrow(TargetNotEmptyError);
    expect(destination.keys()).toEqual(["database/one/_SUCCESS"]);
  });
});

describe("what cannot be read", () => {
  /** A user who may read one column of a table, and all of another. */
  const aLimitedUser = async () => {
    await make("CREATE TABLE open (id INT PRIMARY KEY)", "CREATE TABLE shut (id INT PRIMARY KEY, secret INT)");
    await make("INSERT INTO open VALUES (1)", "INSERT INTO shut VALUES (1, 2)");
    const user = `${schema.name}_few`;
    await schema.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'few'`);
    await schema.query(`GRANT SELECT ON \`${schema.name}\`.open TO '${user}'@'%'`);
    await schema.query(`GRANT SELECT (id) ON \`${schema.name}\`.shut TO '${user}'@'%'`);
    await schema.query(`GRANT INSERT ON \`${schema.name}\`.shut TO '${user}'@'%'`);
    const database = { ...exportContextOf(schema, memoryDestination()).database, user, password: async () => "few" };
    return { database, [Symbol.asyncDispose]: () => schema.query(`DROP USER '${user}'@'%'`).then(() => {}) };
  };

  it("is left out with the reason, and people are notified of it", async () => {
    await using user = await aLimitedUser();
    const warnings: string[] = [];
    const destination = memoryDestination();

    const result = await exported(destination, { database: user.database, warn: (text) => void warnings.push(text) });

    expect(result).toMatchObject({ tables: 1, rows: 1, skipped: [{ table: "shut" }] });
    expect(result.skipped[0]?.reason).toContain("the user lacks a right on a");
    expect(warnings).toEqual([`table shut was left out: ${result.skipped[0]?.reason}`]);
    expect(destination.keys().filter((key) => key.includes("shut"))).toEqual([]);
    expect(hasSuccess(destination)).toBe(true);
  });

  it("fails by its name where the caller asked for it", async () => {
    await using user = await aLimitedUser();
    const destination = memoryDestination();

    await expect(exported(destination, { database: user.database }, ["shut"])).rejects.toThrow(
      DatabaseAccessDeniedError,
    );
    expect(hasSuccess(destination)).toBe(false);
  });

  it.each([
    { what: "dropped", statement: "DROP TABLE z_last", message: "a table does not exist" },
    {
      what: "altered",
      statement: "ALTER TABLE z_last MODIFY id BIGINT, ADD more INT NOT NULL DEFAULT 5",
      message: "the table was altered while the export ran",
    },
  ])("was $what meanwhile: a named error, and no _SUCCESS", async ({ statement, message }) => {
    await make(...aLargeTable("a_first"), "CREATE TABLE z_last (id INT PRIMARY KEY)", "INSERT INTO z_last VALUES (1)");
    const inner = memoryDestination();
    const destination = beforePut(inner, async (key) => {
      if (key.includes("a_first")) await schema.query(statement);
    });

    const failing = exported(destination);

    await expect(failing).rejects.toThrow(DatabaseFailedError);
    await expect(failing).rejects.toThrow(message);
    expect(hasSuccess(inner)).toBe(false);
  });
});

it("that somebody stops ends in the middle of a table, with the reason", async () => {
  await make(
    "CREATE TABLE log (id INT PRIMARY KEY, words CHAR(100))",
    "INSERT INTO log SELECT seq, 'x' FROM seq_1_to_150000",
  );
  const destination = memoryDestination();
  const stopping = new AbortController();
  const reached: number[] = [];

  const failing = exported(destination, {
    signal: stopping.signal,
    progress: ({ rows = 0 }) => {
      reached.push(rows);
      stopping.abort(new JobAbortedError("a person stopped it"));
    },
  });

  await expect(failing).rejects.toThrow(JobAbortedError);
  expect(reached).toEqual([65_536]);
  expect(destination.keys()).toEqual([]);
});

it("goes nowhere that the residency forbids", async () => {
  await make("CREATE TABLE visits (id INT PRIMARY KEY)");
  const destination = memoryDestination();
  const assertPlace = async () => {
    throw new ResidencyError("elsewhere");
  };

  await expect(exported(destination, { assertPlace })).rejects.toThrow(ResidencyError);
  expect(destination.keys()).toEqual([]);
});

describe("a destination", () => {
  it("that is full ends the export with its own error", async () => {
    await make(...aLargeTable("a_first"), "CREATE TABLE z_last (id INT)");
    const inner = memoryDestination();
    const destination = beforePut(inner, async (key) => {
      if (key.endsWith(".parquet")) throw new DestinationFullError("no space left");
    });

    await expect(exported(destination)).rejects.toThrow(DestinationFullError);
    expect(hasSuccess(inner)).toBe(false);
  });

  it("that fails while a file is written ends the export with its own error", async () => {
    await make(
      "CREATE TABLE scans (id INT PRIMARY KEY, scan LONGBLOB)",
      ...Array.from({ length: 12 }, (_, id) => `INSERT INTO scans VALUES (${id}, RANDOM_BYTES(1024))`),
      "UPDATE scans SET scan = REPEAT(scan, 8000)",
    );
    const inner = memoryDestination();
    const failing: Destination = {
      ...inner,
      put: async (key, body) => {
        if (Buffer.isBuffer(body)) return inner.put(key, body);
        for await (const _ of body) break;
        throw new DestinationFullError("no space left");
      },
    };

    await expect(exported(failing)).rejects.toThrow(DestinationFullError);
    expect(hasSuccess(inner)).toBe(false);
  });

  it.each([
    { what: "loses a file", spoil: (inner: MemoryDestination, key: string) => inner.delete(key) },
    { what: "shortens a file", spoil: async (inner: MemoryDestination, key: string) => inner.plant(key, "PAR1") },
    {
      what: "has a file of another in the export's directory",
      spoil: async (inner: MemoryDestination) => inner.plant("database/one/other.parquet", "PAR1"),
    },
  ])("that $what gets no _SUCCESS", async ({ spoil }) => {
    await make("CREATE TABLE visits (id INT)");
    const inner = memoryDestination();
    const destination = beforePut(inner, async (key) => {
      if (key.endsWith("_manifest.json")) await spoil(inner, `database/one/${schema.name}.visits/part-00000.parquet`);
    });

    await expect(exported(destination)).rejects.toThrow(IntegrityError);
    expect(hasSuccess(inner)).toBe(false);
  });
});

describe("a server of its own", () => {
  let server: MariaDb;
  beforeAll(async () => {
    server = await startMariaDb({
      directory: join(directory, "server"),
      extraArguments: ["--max-allowed-packet=64M", "--group-concat-max-len=64M"],
    });
    await server.createSchema("lost");
    await server.query("CREATE TABLE lost.log (id INT PRIMARY KEY, words CHAR(200))");
    await server.query("INSERT INTO lost.log SELECT seq, REPEAT('x', 200) FROM lost.seq_1_to_150000");
  });
  afterAll(() => server.stop());

  const accessTo = (name: string) => {
    const { host, port, user, password } = server;
    return { host, port, user, name, password: async () => password, tls: "off" } as const;
  };

  it("with texts that are no UTF-8 has U+FFFD in their place, and says how many", async () => {
    // No statement makes such a text; files of tables from elsewhere, and old releases, do.
    await server.createSchema("broken");
    for (const [name, type] of [
      ["raw", "VARBINARY(400)"],
      ["notes", "VARCHAR(100) CHARACTER SET utf8mb4"],
    ])
      await server.query(`CREATE TABLE broken.${name} (id INT PRIMARY KEY, words ${type}) ENGINE=MyISAM`);
    await server.query(
      "INSERT INTO broken.raw VALUES (1, X'61FF62'), (2, 'plain'), (3, CONCAT(REPEAT('x', 300), X'C3')), (4, X'C3A9'), (5, '')",
    );
    await server.query("FLUSH TABLES");
    const [row] = await server.query("SELECT @@datadir AS datadir");
    for (const kind of ["MYD", "MYI"])
      copyFileSync(`${row?.datadir}broken/raw.${kind}`, `${row?.datadir}broken/notes.${kind}`);
    await server.query("FLUSH TABLES");
    const root = join(directory, "broken");

    await exported(fileDestination(root), { database: accessTo("broken") }, ["notes"]);

    const [read] = readByOthers([join(root, "database/one/broken.notes")]);
    const texts = (rows: readonly (readonly (string | null)[])[] = []) =>
      rows.map(([, hex]) => Buffer.from(hex ?? "", "hex").toString());
    const expected = ["a\ufffdb", "plain", `${"x".repeat(300)}\ufffd`, "é", ""];
    expect(texts(read?.duckdb.rows)).toEqual(expected);
    expect(texts(read?.pyarrow.rows)).toEqual(expected);
    const { tables } = JSON.parse(readFileSync(join(root, "database/one/_schema.json"), "utf8"));
    expect(tables[0].columns[1]).toMatchObject({ name: "words", replacedTexts: 2 });
  });

  it("with rows of 48 MB is exported whole, in bounded memory", async () => {
    await server.createSchema("huge");
    await server.query("CREATE TABLE huge.scans (id INT PRIMARY KEY, scan LONGBLOB, words LONGTEXT)");
    // Bytes that do not compress, so that nothing is spared.
    await server.query(
      "INSERT INTO huge.scans SELECT 1, LEFT(GROUP_CONCAT(UNHEX(SHA2(seq, 512)) ORDER BY seq SEPARATOR ''), 28000000), REPEAT('é', 10000000) FROM huge.seq_1_to_437500",
    );
    for (const id of [2, 3])
      await server.query(
        `INSERT INTO huge.scans SELECT ${id}, REVERSE(scan), words FROM huge.scans WHERE id = ${id - 1}`,
      );
    const root = join(directory, "huge");
    const { host, port, user, password } = server;

    const { status, stdout, stderr } = spawnSync(process.execPath, ["--max-semi-space-size=2", child], {
      input: JSON.stringify({ host, port, user, password, name: "huge", directory: root, exportId: "one" }),
      encoding: "utf8",
    });

    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { rows, peakBytes } = JSON.parse(stdout) as { rows: number; peakBytes: number };
    expect(rows).toBe(3);
    expect(peakBytes).toBeLessThan(288 * 2 ** 20); // 246 MiB; with each value copied into a page, more than 300
    const digests = await server.query("SELECT MD5(scan) AS scan, MD5(words) AS words FROM huge.scans ORDER BY id");
    const sql = `SELECT md5(scan), md5(words) FROM read_parquet('${root}/database/one/huge.scans/*.parquet') ORDER BY id`;
    const read = spawnSync(
      analyticsPython(),
      [
        "-c",
        `import duckdb,json,sys;duckdb.sql("SET enable_progress_bar=false");print(json.dumps(duckdb.sql(sys.argv[1]).fetchall()))`,
        sql,
      ],
      { encoding: "utf8" },
    );
    expect(JSON.parse(read.stdout)).toEqual(digests.map((row) => [row.scan, row.words]));
  }, 180_000);

  it("that is lost in the middle of a table ends the export with a named error, and no _SUCCESS", async () => {
    const destination = memoryDestination();
    const reached: number[] = [];

    const failing = exported(destination, {
      database: accessTo("lost"),
      progress: ({ rows = 0 }) => {
        reached.push(rows);
        process.kill(server.pid, "SIGKILL");
      },
    });

    await expect(failing).rejects.toThrow(DatabaseUnavailableError);
    expect(reached).toEqual([65_536]);
    expect(hasSuccess(destination)).toBe(false);
  });
});
