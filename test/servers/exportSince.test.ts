import { zstdDecompressSync } from "node:zlib";
import type { DatabaseExportContext } from "@openemr-ops/exports/context";
import { exportDatabase, planDatabaseExport } from "@openemr-ops/exports/database/exportDatabase";
import { full } from "@openemr-ops/exports/profiles/full";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshSchema, freshSchema } from "../support/database.ts";
import { exportContextOf } from "../support/exportContext.ts";
import { memoryDestination } from "../support/memoryDestination.ts";
import { runStatements } from "../support/runStatements.ts";

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema();
});
afterEach(() => schema.drop());

const make = (...statements: readonly string[]) => runStatements(schema, schema.name, statements);
const tables = [
  "CREATE TABLE log (id BIGINT PRIMARY KEY, date DATETIME NULL, event VARCHAR(20))",
  "CREATE TABLE log_comment_encrypt (id INT PRIMARY KEY, log_id INT NOT NULL)",
  "CREATE TABLE api_log (id INT PRIMARY KEY, created_time TIMESTAMP NULL)",
  "CREATE TABLE patient_data (id INT PRIMARY KEY, date DATETIME NULL)",
];

interface Manifest {
  readonly complete: boolean;
  readonly since?: string;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly since?: string;
    readonly leftOut?: number;
    readonly files: readonly { readonly path: string }[];
  }[];
}

const exported = async (since?: string, own: Partial<DatabaseExportContext> = {}, names?: readonly string[]) => {
  const destination = memoryDestination();
  const result = await exportDatabase(exportContextOf(schema, destination, { profile: full(), ...own }), {
    exportId: "one",
    tables: names,
    since,
  });
  const bytesOf = (path: string) => destination.bytesOf(`database/one/${path}`) ?? Buffer.alloc(0);
  const manifest = JSON.parse(bytesOf("_manifest.json").toString()) as Manifest;
  const rowsOf = async (table: string) => {
    const found: Record<string, unknown>[] = [];
    for (const { path } of manifest.tables.find((one) => one.table === table)?.files ?? []) {
      const file = new Uint8Array(bytesOf(path)).buffer;
      found.push(...(await parquetReadObjects({ file, compressors: { ZSTD: (page) => zstdDecompressSync(page) } })));
    }
    return found;
  };
  return { result, manifest, rowsOf };
};

const day = fc.integer({ min: 0, max: 40 }).map((days) => new Date(Date.UTC(2026, 0, 1 + days)));
const moment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(day, fc.integer({ min: 0, max: 86_399 }))
      .map(([at, seconds]) => new Date(at.getTime() + seconds * 1000).toISOString().slice(0, 19).replace("T", " ")),
  },
  { weight: 2, arbitrary: day.map((at) => `${at.toISOString().slice(0, 10)} 00:00:00`) },
  { weight: 1, arbitrary: fc.constantFrom("0000-00-00 00:00:00", "2025-00-00 00:00:00", "2025-12-00 10:00:00") },
  { weight: 1, arbitrary: fc.constant(null) },
);
const text = (value: string | null) => (value === null ? "NULL" : `'${value}'`);
const zeroOrNull = (value: string | null) => (value?.includes("-00") ? "0000-00-00 00:00:00" : value);

describe("an export since a day", () => {
  it("has the rows of the whole export from that day on, and those without a date; everything else whole", async () => {
    await make(...tables);
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 60 }), day, async (moments, from) => {
        const since = from.toISOString().slice(0, 10);
        await make(
          "SET SESSION sql_mode = ''",
          ...["log", "log_comment_encrypt", "api_log", "patient_data"].map((table) => `DELETE FROM ${table}`),
          `INSERT INTO log VALUES ${moments.map((at, id) => `(${id}, ${text(at)}, 'e')`).join(",")}`,
          `INSERT INTO patient_data VALUES ${moments.map((at, id) => `(${id}, ${text(at)})`).join(",")}`,
          "SET SESSION time_zone = '+00:00'",
          `INSERT INTO api_log VALUES ${moments.map((at, id) => `(${id}, ${text(zeroOrNull(at))})`).join(",")}`,
          // One more whose row of the log is gone.
          `INSERT INTO log_comment_encrypt VALUES ${[...moments, null].map((_, id) => `(${id}, ${id})`).join(",")}`,
        );
        const [whole, partial] = [await exported(), await exported(since)];
        const ids = async (one: typeof whole, table: string) => (await one.rowsOf(table)).map(({ id }) => Number(id));
        const expected = async (table: string, column: string) =>
          (await whole.rowsOf(table)).flatMap(({ id, [column]: at }) =>
            at === null || (at as Date) >= from ? [Number(id)] : [],
          );
        const ofLog = await expected("log", "date");
        expect(await ids(partial, "log")).toEqual(ofLog);
        expect(await ids(partial, "api_log")).toEqual(await expected("api_log", "created_time"));
        expect(await ids(partial, "log_comment_encrypt")).toEqual([...ofLog, moments.length]);
        expect(await ids(partial, "patient_data")).toEqual(await ids(whole, "patient_data"));
        for (const { table, rows, leftOut = 0 } of partial.manifest.tables)
          expect(rows + leftOut).toBe((await ids(whole, table)).length);
      }),
      { numRuns: 12 },
    );
  });

  it("says of itself and of each such table that it is a part, and how many rows were left out", async () => {
    await make(
      ...tables,
      "INSERT INTO log VALUES (1, '2026-01-01', 'a'), (2, '2026-01-02', 'b'), (3, '2026-01-03', 'c')",
    );
    const { result, manifest } = await exported("2026-01-03");
    expect(manifest).toMatchObject({ complete: false, since: "2026-01-03" });
    expect(manifest.tables).toMatchObject([
      { table: "api_log", since: "2026-01-03", leftOut: 0 },
      { table: "log", rows: 1, since: "2026-01-03", leftOut: 2 },
      { table: "log_comment_encrypt", since: "2026-01-03", leftOut: 0 },
      { table: "patient_data" },
    ]);
    expect(manifest.tables[3]).not.toHaveProperty("since");
    expect(result).toMatchObject({
      since: "2026-01-03",
      partial: [
        { table: "api_log", leftOut: 0 },
        { table: "log", leftOut: 2 },
        { table: "log_comment_encrypt", leftOut: 0 },
      ],
    });

    const whole = await exported();
    expect(whole.manifest.complete).toBe(true);
    expect(JSON.stringify([whole.manifest, whole.result])).not.toMatch(/since|leftOut|partial/);
  });

  it("has a log whole that has no date that is one", async () => {
    await make(
      "CREATE TABLE log (id INT PRIMARY KEY, date VARCHAR(20))",
      "CREATE TABLE log_comment_encrypt (id INT PRIMARY KEY, log_id INT NOT NULL)",
      "CREATE TABLE clinical_rules_log (id INT PRIMARY KEY, date DATETIME)",
      "INSERT INTO log VALUES (1, '2020-01-01')",
      "INSERT INTO log_comment_encrypt VALUES (1, 1)",
      "INSERT INTO clinical_rules_log VALUES (1, '2020-01-01')",
    );
    const { manifest } = await exported("2026-01-01");
    expect(manifest.tables.map(({ table, rows, leftOut }) => [table, rows, leftOut])).toEqual([
      ["clinical_rules_log", 0, 1],
      ["log", 1, undefined],
      ["log_comment_encrypt", 1, undefined],
    ]);
  });

  it("is refused where no table of it has such rows, and names those that have", async () => {
    await make(...tables);
    const context = exportContextOf(schema, memoryDestination(), { profile: full() });
    for (const work of [planDatabaseExport, exportDatabase])
      await expect(
        work(context, { exportId: "one", tables: ["patient_data"], since: "2026-01-01" }),
      ).rejects.toMatchObject({
        name: "InvalidInputError",
        issues: [
          { path: "since", message: expect.stringMatching(/api_log, clinical_rules_log, log, log_comment_encrypt/) },
        ],
      });
  });

  it("shows in its plan which tables leave in part", async () => {
    await make(...tables);
    const context = exportContextOf(schema, memoryDestination(), { profile: full() });
    const plan = await planDatabaseExport(context, { since: "2026-01-01" });
    expect(plan.tables.filter(({ since }) => since).map(({ table }) => table)).toEqual([
      "api_log",
      "log",
      "log_comment_encrypt",
    ]);
  });
});
