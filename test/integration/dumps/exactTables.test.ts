import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type DumpDatabaseSettings, dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { runStatements } from "../../support/runStatements.ts";
import { schemaImage } from "../../support/schemaImage.ts";
import { aSite } from "../../support/sitesTree.ts";
import { tcpRelay } from "../../support/tcpRelay.ts";

let directory: string;
let server: MariaDb;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-exact-"));
  server = await startMariaDb({ directory, extraArguments: ["--max-allowed-packet=16M"] });
  await aSite(join(directory, "sites"));
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

const mariadbDump = findTool("mariadb-dump") ?? "mariadb-dump";
const settings: DumpDatabaseSettings = {
  mariadbDump,
  stallSeconds: 300,
  now: () => new Date(),
  signal: new AbortController().signal,
  progress: () => undefined,
};
const megabytes = (count: number): string => `REPEAT('${"0123456789abcdef".repeat(64)}', ${count * 1024})`;

describe("a table with a FLOAT column on a server with a small max_allowed_packet", () => {
  it("keeps long values whole", { timeout: 60_000 }, async () => {
    await using schema = await freshSchema(server);
    await runStatements(schema, schema.name, [
      "CREATE TABLE scans (id int PRIMARY KEY, f float, scan longblob, words longtext, shape geometry)",
      `INSERT INTO scans VALUES (1, 0.1, ${megabytes(9)}, NULL, POINT(1, 2)), (2, 3.3333333, '', ${megabytes(12)}, NULL)`,
    ]);
    const sitesPath = join(directory, "sites");
    const context = await contextFor({
      schema,
      sitesPath,
      directory: join(directory, schema.name),
      dumps: { format: "portable", compression: "zstd" },
    });

    await takeDump(context);

    await server.query("SET GLOBAL max_allowed_packet = 64 * 1024 * 1024"); // as a target needs it
    const intoDatabase = `${schema.name}_copy`;
    const verdict = await restoreDump(context, {
      dump: "latest",
      intoDatabase,
      intoSites: join(directory, "copy"),
    });
    expect(verdict.verdict).toBe("passed");
    expect(await schemaImage(schema, intoDatabase)).toEqual(await schemaImage(schema, schema.name));
    await server.query("SET GLOBAL max_allowed_packet = 16 * 1024 * 1024");
  });
});

describe("the memory of a dump", () => {
  /** Holds for every shape of table. */
  const limit = 256 * 2 ** 20;
  it.each([
    { what: "long values beside a FLOAT", columns: "id int PRIMARY KEY, f float, v longblob", rows: 30, size: 10 },
    { what: "long texts beside a FLOAT", columns: "id int PRIMARY KEY, f float, v longtext", rows: 30, size: 10 },
    { what: "long values in a table without a key", columns: "id int, f int, v longblob", rows: 4, size: 60 },
    {
      what: "long values, and columns that are named",
      columns: "id int, f int INVISIBLE, v longblob",
      rows: 4,
      size: 60,
    },
  ])("stays below 256 MiB with $what", { timeout: 120_000 }, async ({ columns, rows, size }) => {
    await using schema = await freshSchema(server);
    await server.query("SET GLOBAL max_allowed_packet = 1024 * 1024 * 1024");
    await runStatements(schema, schema.name, [
      `CREATE TABLE long_values (${columns})`,
      `INSERT INTO long_values (id, f, v) SELECT seq, 0.1, ${megabytes(size)} FROM seq_1_to_${rows}`,
    ]);
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../support/dumpInChild.ts")]);
    const ended = once(child, "close");
    const { host, port, name } = schema;
    child.stdin.end(JSON.stringify({ host, port, name, ...schema.dumpUser, mariadbDump }));
    const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await ended;
    await server.query("SET GLOBAL max_allowed_packet = 16 * 1024 * 1024");

    expect(errors).toBe("");
    const { tables, peakBytes } = JSON.parse(said);
    expect(tables).toMatchObject([{ name: "long_values", rows }]);
    expect(tables[0].byteLength).toBeGreaterThan(rows * size * 2 ** 20);
    expect(peakBytes).toBeLessThan(limit);
  });
});

describe("a dump whose connection is lost while rows of a FLOAT table come", () => {
  let schema: FreshSchema;
  beforeAll(async () => {
    schema = await freshSchema(server);
    await runStatements(schema, schema.name, [
      "CREATE TABLE measured (id int PRIMARY KEY, f float, v longtext)",
      `INSERT INTO measured SELECT seq, seq / 10, ${megabytes(1)} FROM seq_1_to_40`,
    ]);
  });
  afterAll(() => schema.drop());

  /** Does something once, when rows of that table have come. */
  const dumpAnd = (access: DatabaseAccess, work: () => Promise<unknown> | unknown, stallSeconds = 300) => {
    let sent = 0;
    const sink = async (chunk: Buffer): Promise<void> => {
      const before = sent;
      sent += chunk.length;
      if (before < 3_000_000 && sent >= 3_000_000) await work();
    };
    return dumpDatabase(access, sink, { ...settings, stallSeconds });
  };
  const killEach = async (what: string): Promise<void> => {
    const sessions = await server.query("SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ?", [
      schema.dumpUser.user,
    ]);
    for (const { id } of sessions) await server.query(`KILL ${what} ${id}`);
  };

  it.each(["HARD CONNECTION", "SOFT CONNECTION", "HARD QUERY"])(
    "ends at once as DatabaseUnavailableError after KILL %s",
    { timeout: 30_000 },
    async (what) => {
      await expect(dumpAnd(accessOf(schema, schema.dumpUser), () => killEach(what))).rejects.toMatchObject({
        name: "DatabaseUnavailableError",
      });
    },
  );

  it("ends at once as DatabaseUnavailableError when the network resets it", { timeout: 30_000 }, async () => {
    await using relay = await tcpRelay(server);
    const access = { ...accessOf(schema, schema.dumpUser), port: relay.port };

    await expect(dumpAnd(access, relay.reset)).rejects.toMatchObject({ name: "DatabaseUnavailableError" });
  });

  it("ends as DatabaseUnavailableError, not as a lock, when the network drops it and says nothing", {
    timeout: 30_000,
  }, async () => {
    await using relay = await tcpRelay(server);
    const access = { ...accessOf(schema, schema.dumpUser), port: relay.port };

    await expect(dumpAnd(access, relay.silence, 1)).rejects.toMatchObject({
      name: "DatabaseUnavailableError",
      message: expect.stringMatching(/gave no byte for 1 s at table measured/),
    });
  });
});
