import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@openemr-ops/database/connection";
import { dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { DatabaseServer } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { startMySql } from "@openemr-ops/local/servers/mysql";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { mysqlOfDebian } from "@openemr-ops/local/tools/otherServers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../../support/database.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { roundTrip } from "../../support/roundTrip.ts";
import { runStatements } from "../../support/runStatements.ts";
import { schemaImage } from "../../support/schemaImage.ts";
import { serversHere } from "../../support/serversHere.ts";
import { aSite } from "../../support/sitesTree.ts";

interface Imposed {
  readonly name: string;
  readonly value: string;
}

const modes =
  "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE,PAD_CHAR_TO_FULL_LENGTH,NO_AUTO_VALUE_ON_ZERO,NO_UNSIGNED_SUBTRACTION";
const written = "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci";
const onEach: readonly Imposed[] = [
  { name: "sql_mode", value: `'${modes},HIGH_NOT_PRECEDENCE,REAL_AS_FLOAT'` },
  { name: "time_zone", value: "'+05:45'" },
  { name: "wait_timeout", value: "7" },
  { name: "net_write_timeout", value: "7" },
  { name: "net_read_timeout", value: "7" },
  { name: "sql_safe_updates", value: "1" },
  { name: "completion_type", value: "CHAIN" },
  { name: "group_concat_max_len", value: "4" },
  { name: "sql_quote_show_create", value: "0" },
  { name: "autocommit", value: "0" },
];
const ofMariaDb: readonly Imposed[] = [
  ...onEach,
  { name: "max_statement_time", value: "0.5" },
  { name: "idle_transaction_timeout", value: "7" },
  { name: "idle_readonly_transaction_timeout", value: "7" },
  { name: "idle_write_transaction_timeout", value: "7" },
  { name: "old_mode", value: "'ZERO_DATE_TIME_CAST,UTF8_IS_UTF8MB3'" },
  { name: "default_regex_flags", value: "'EXTENDED'" },
];
const ofMySql: readonly Imposed[] = [
  ...onEach.filter(({ name }) => name !== "sql_mode"),
  { name: "sql_mode", value: `'${modes}'` },
  { name: "max_execution_time", value: "3000000" },
  { name: "information_schema_stats_expiry", value: "86400" },
];

const limits = [
  { name: "sql_select_limit", value: "2" },
  { name: "sql_select_limit", value: "0" },
];
const earlier = { name: "system_versioning_asof", value: "'2001-01-01 00:00:00'" };
const hiddenKeys = { name: "show_gipk_in_create_table_and_information_schema", value: "OFF" };
const products = [
  { product: "MariaDB", imposed: ofMariaDb, refused: [...limits, earlier], start: startMariaDb },
  ...(serversHere().includes(mysqlOfDebian)
    ? [{ product: "MySQL", imposed: ofMySql, refused: [...limits, hiddenKeys], start: startMySql }]
    : []),
];

describe.each(products)("a $product server that imposes settings on new sessions", ({ imposed, refused, start }) => {
  let directory: string;
  let server: DatabaseServer;
  let schema: FreshSchema;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-imposed-"));
    server = await start({ directory });
    await aSite(join(directory, "sites"));
    schema = await freshSchema(server);
    await runStatements(schema, schema.name, [
      `CREATE TABLE plain (id int PRIMARY KEY AUTO_INCREMENT, c char(9) ${written}, t text ${written}, at timestamp NULL)`,
      "INSERT INTO plain VALUES (1, 'c', 'a\\\\b''c\"d\\ne', '2024-02-29 12:00:00'), (2, '', NULL, NULL), (3, 'x ', '', '1999-12-31 23:59:59')",
      `CREATE TABLE exact (id int PRIMARY KEY, f float, c char(9) ${written}, t text ${written}, at timestamp NULL)`,
      "INSERT INTO exact VALUES (1, 0.1, 'c', 'a\\\\b''c\"d\\ne', '2024-02-29 12:00:00'), (2, NULL, '', NULL, NULL)",
    ]);
  }, 60_000);
  afterAll(async () => {
    await schema.drop();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const imposing = async (settings: readonly Imposed[], work: () => Promise<void>): Promise<void> => {
    for (const { name, value } of settings) await server.query(`SET GLOBAL ${name} = ${value}`);
    try {
      await work();
    } finally {
      for (const { name } of settings) await server.query(`SET GLOBAL ${name} = DEFAULT`);
    }
  };
  const context = () =>
    contextFor({ schema, sitesPath: join(directory, "sites"), directory, dumps: { format: "portable" } });

  it("has them on none of our connections", async () => {
    await imposing(imposed, async () => {
      await using connection = await connect(accessOf(schema, schema.dumpUser));
      const now = await connection.rows("SHOW SESSION VARIABLES");
      const values = new Map(now.map((row) => [row.Variable_name, row.Value]));

      expect(values.get("sql_mode")).toBe("STRICT_ALL_TABLES");
      expect(values.get("time_zone")).toBe("+00:00");
      expect(values.get("autocommit")).toBe("ON");
      expect(values.get("completion_type")).toBe("NO_CHAIN");
      for (const name of ["max_statement_time", "max_execution_time", "idle_transaction_timeout"])
        expect(Number(values.get(name) ?? 0), name).toBe(0);
      for (const name of ["wait_timeout", "net_write_timeout", "net_read_timeout"])
        expect(Number(values.get(name)), name).toBeGreaterThanOrEqual(86_400);
    });
  });

  it("has a whole dump and a restore that passes", async () => {
    await imposing(imposed, async () => {
      const { verdict, restored } = await roundTrip({ schema, sitesPath: join(directory, "sites"), directory });

      expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
      const image = async (name: string) => JSON.stringify(await schemaImage(schema, name));
      expect(await image(restored.name)).toBe(await image(schema.name));
    });
  });

  it.each(refused)(
    "is refused where rows would be others without an error: $name = $value",
    async ({ name, value }) => {
      await imposing([{ name, value }], async () => {
        await expect(takeDump(await context())).rejects.toMatchObject({
          name: "SourceLayoutError",
          message: expect.stringContaining(`the server gives new sessions ${name} = `),
        });
      });
    },
  );
});

if (serversHere().includes(mysqlOfDebian))
  describe("a MySQL server that limits the time of statements", () => {
    it("has a whole dump of a table that takes longer", async () => {
      const directory = await mkdtemp(join(tmpdir(), "openemr-ops-limited-"));
      const server = await startMySql({ directory });
      const schema = await freshSchema(server);
      await runStatements(schema, schema.name, [
        "CREATE TABLE small (id int PRIMARY KEY)",
        "CREATE TABLE large (id int PRIMARY KEY, v longtext)",
        ...Array.from({ length: 40 }, (_, id) => `INSERT INTO large VALUES (${id}, REPEAT('large', 200000))`),
      ]);
      await server.query("SET GLOBAL max_execution_time = 500");
      let waited: Promise<unknown> | undefined;
      const sink = async (chunk: Buffer): Promise<void> => {
        if (chunk.includes("INSERT INTO `large`")) waited ??= server.query("DO SLEEP(1)"); // a slow destination
        await waited;
      };

      const { digest, source } = await dumpDatabase(accessOf(schema, schema.dumpUser), sink, {
        mariadbDump: findTool("mariadb-dump") ?? "mariadb-dump",
        stallSeconds: 60,
        now: () => new Date(),
        signal: new AbortController().signal,
        progress: () => undefined,
      });

      expect(waited).toBeDefined();
      expect(digest.tables.map(({ name, rows }) => ({ name, rows }))).toEqual(
        expect.arrayContaining([{ name: "large", rows: 40 }]),
      );
      expect(source.tables.filter(({ exactColumns }) => exactColumns).map(({ name }) => name)).toEqual(["large"]);
      await schema.drop();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    });
  });

it("a server that ignores the character set of its clients is refused", async () => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-latin-"));
  const server = await startMariaDb({
    directory,
    extraArguments: [
      "--skip-character-set-client-handshake",
      "--character-set-server=latin1",
      "--collation-server=latin1_swedish_ci",
    ],
  });
  const schema = await freshSchema(server);
  await schema.query("CREATE TABLE t (id int PRIMARY KEY, v varchar(9) CHARACTER SET utf8mb4)");
  await aSite(join(directory, "sites"));
  const context = await contextFor({ schema, sitesPath: join(directory, "sites"), directory });

  await expect(takeDump(context)).rejects.toMatchObject({
    name: "SourceLayoutError",
    message: expect.stringContaining("skip-character-set-client-handshake"),
  });
  await schema.drop();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("a MariaDB server whose event scheduler is disabled", () => {
  it("is refused with the setting to change, for nobody can see its events", async () => {
    const directory = await mkdtemp(join(tmpdir(), "openemr-ops-events-"));
    const server = await startMariaDb({ directory, extraArguments: ["--event-scheduler=DISABLED"] });
    await aSite(join(directory, "sites"));
    const schema = await freshSchema(server);
    await schema.query("CREATE TABLE visits (id int PRIMARY KEY)");

    const dump = takeDump(await contextFor({ schema, sitesPath: join(directory, "sites"), directory }));

    await expect(dump).rejects.toThrow(/event scheduler is disabled.*event_scheduler=OFF/);
    await server.stop();
    await rm(directory, { recursive: true });
  });
});
