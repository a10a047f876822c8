import { CreateDatabaseCommand, CreateTableCommand, GetTablesCommand, GlueClient } from "@aws-sdk/client-glue";
import { glueCatalogue } from "@openemr-ops/aws/glueCatalogue";
import type { Destination } from "@openemr-ops/core/destination";
import { DestinationFullError } from "@openemr-ops/core/errors";
import type { TableCatalogue } from "@openemr-ops/core/tableCatalogue";
import { exportDatabase } from "@openemr-ops/exports/database/exportDatabase";
import { startMoto } from "@openemr-ops/local/servers/moto";
import type { S3Server } from "@openemr-ops/local/servers/storeServer";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type FreshSchema, freshSchema } from "../../support/database.ts";
import { exportContextOf } from "../../support/exportContext.ts";
import { type MemoryDestination, memoryDestination } from "../../support/memoryDestination.ts";
import { runStatements } from "../../support/runStatements.ts";

let moto: S3Server;
let glue: GlueClient;
let schema: FreshSchema;
beforeAll(async () => {
  moto = await startMoto();
  vi.stubEnv("AWS_ENDPOINT_URL", moto.url);
  vi.stubEnv("AWS_REGION", moto.region);
  vi.stubEnv("AWS_ACCESS_KEY_ID", moto.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", moto.secretAccessKey);
  glue = new GlueClient({});
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await moto.stop();
});
beforeEach(async () => {
  schema = await freshSchema();
});
afterEach(() => schema.drop());

const place = "s3://sagemaker-clinic-a/analytics";
const make = (...statements: readonly string[]) => runStatements(schema, schema.name, statements);

/** A database of Glue of its own, and exports that register there. */
const aCatalogue = async ({ made = true } = {}) => {
  const database = `analytics_${schema.name}`;
  if (made) await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
  const memory: MemoryDestination = memoryDestination();
  const warnings: string[] = [];
  const own = glueCatalogue({ database });
  const complete: boolean[] = [];
  const catalogue: TableCatalogue = {
    ...own,
    register: (table, below) => {
      complete.push(memory.keys().includes(`database/${table.exportId}/_SUCCESS`));
      return own.register(table, below);
    },
  };
  const run = (exportId: string, destination: Destination = memory, since?: string) =>
    exportDatabase(
      exportContextOf(
        schema,
        { ...destination, url: place },
        { catalogue, warn: (message) => void warnings.push(message) },
      ),
      { exportId, since },
    );
  const tables = async () => (await glue.send(new GetTablesCommand({ DatabaseName: database }))).TableList ?? [];
  const described = (exportId: string): { table: string; athenaTable: string; columns: { athena: unknown }[] }[] =>
    JSON.parse(memory.bytesOf(`database/${exportId}/_schema.json`)?.toString() ?? "").tables;
  return { database, memory, run, tables, described, warnings, complete };
};

it("a complete export is found in Glue as its _schema.json says, and the next one takes its place", async () => {
  await make(
    "CREATE TABLE visits (id INT PRIMARY KEY, at DATETIME, fee DECIMAL(12,2), total BIGINT UNSIGNED, day DATE, words TEXT, scan BLOB)",
    "CREATE TABLE `odd-name` (`a, b` INT, `A B` DOUBLE)",
    "INSERT INTO visits (id) VALUES (1)",
  );
  const { run, tables, described, warnings, complete } = await aCatalogue();
  await run("one");

  const found = await tables();
  expect(
    Object.fromEntries(
      found.map(({ Name, StorageDescriptor }) => [
        Name,
        StorageDescriptor?.Columns?.map((column) => ({ name: column.Name, type: column.Type })),
      ]),
    ),
  ).toEqual(
    Object.fromEntries(
      described("one").map(({ athenaTable, columns }) => [athenaTable, columns.map(({ athena }) => athena)]),
    ),
  );
  const visits = found.find(({ Name }) => Name === "visits");
  expect(visits).toMatchObject({
    TableType: "EXTERNAL_TABLE",
    Parameters: { classification: "parquet", "openemr-ops.export": "one", "openemr-ops.profile": "everything" },
    StorageDescriptor: { Location: `${place}/database/one/${schema.name}.visits/` },
  });
  const odd = found.find(({ Name }) => Name === "odd_name");
  expect(odd?.StorageDescriptor?.SerdeInfo?.Parameters).toMatchObject({ "parquet.column.index.access": "true" });

  await make("DROP TABLE `odd-name`", "ALTER TABLE visits ADD note VARCHAR(10)");
  await run("two");

  const next = new Map((await tables()).map((table) => [table.Name, table.StorageDescriptor]));
  expect(next.get("visits")?.Location).toBe(`${place}/database/two/${schema.name}.visits/`);
  expect(next.get("visits")?.Columns?.at(-1)).toMatchObject({ Name: "note", Type: "string" });
  expect(next.get("odd_name")?.Location).toMatch(/\/database\/one\//); // where its rows still are
  expect(complete).toEqual([true, true, true]);
  expect(warnings).toEqual([]);
});

it("a table of somebody else's stays as it is, with a warning, and the others are registered", async () => {
  await make("CREATE TABLE labs (id INT)", "CREATE TABLE visits (id INT)");
  const { database, run, tables, warnings } = await aCatalogue();
  const theirs = { Name: "labs", StorageDescriptor: { Location: "s3://research/labs/", Columns: [] } };
  await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: theirs }));

  await run("one");

  const locations = new Map((await tables()).map((table) => [table.Name, table.StorageDescriptor?.Location]));
  expect(locations.get("labs")).toBe("s3://research/labs/");
  expect(locations.get("visits")).toBe(`${place}/database/one/${schema.name}.visits/`);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/table labs in the database .* lies at s3:\/\/research\/labs\/; drop or rename it/);
});

it("an export is complete where the catalogue is missing, with one warning that says what to do", async () => {
  await make("CREATE TABLE labs (id INT)", "CREATE TABLE visits (id INT)");
  const { database, memory, run, warnings } = await aCatalogue({ made: false });

  expect(await run("one")).toMatchObject({ exportId: "one", tables: 2 });

  expect(memory.keys()).toContain("database/one/_SUCCESS");
  expect(warnings).toEqual([
    `the export is complete, but 2 of its 2 tables are not registered in the database ${database} of Glue (ControlPlaneMissingError: the database ${database} of Glue does not exist: deploy again, or correct exports.database.catalogue); the next export registers its tables again`,
  ]);
});

it("an export without _SUCCESS registers nothing", async () => {
  await make("CREATE TABLE visits (id INT)");
  const { memory, run, tables } = await aCatalogue();
  const full: Destination = {
    ...memory,
    put: async (key, body, source) => {
      if (key.endsWith("_SUCCESS")) throw new DestinationFullError("no room left");
      return memory.put(key, body, source);
    },
  };

  await expect(run("one", full)).rejects.toThrow(DestinationFullError);
  expect(await tables()).toEqual([]);
});

it("a log with only the rows since a day keeps the table of the export that had all of them", async () => {
  await make(
    "CREATE TABLE api_log (id INT PRIMARY KEY, created_time DATETIME)",
    "CREATE TABLE visits (id INT)",
    "INSERT INTO api_log VALUES (1, '2026-01-01 08:00:00'), (2, '2026-03-01 08:00:00')",
  );
  const { memory, run, tables, warnings } = await aCatalogue();
  await run("one");

  expect(await run("two", memory, "2026-02-01")).toMatchObject({ partial: [{ table: "api_log", leftOut: 1 }] });

  const locations = new Map((await tables()).map((table) => [table.Name, table.StorageDescriptor?.Location]));
  expect(locations.get("api_log")).toBe(`${place}/database/one/${schema.name}.api_log/`);
  expect(locations.get("visits")).toBe(`${place}/database/two/${schema.name}.visits/`);
  expect(warnings).toEqual([]);
});
