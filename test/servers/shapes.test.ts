import { join } from "node:path";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import { loadDatabase } from "@openemr-ops/database/loadDatabase";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { compareRestored, type Difference } from "@openemr-ops/dumps/steps/compare";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { findUnpacked } from "@openemr-ops/local/tools/debianPackages";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { mariaDb118OfDebian } from "@openemr-ops/local/tools/otherServers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { accessOf, type FreshSchema, freshSchema } from "../support/database.ts";
import { aWorkDirectory, contextFor } from "../support/dumpContext.ts";
import { serversMissing } from "../support/serversHere.ts";
import { aSite } from "../support/sitesTree.ts";

const { product } = inject("server");

/** Tables whose rows a dump program writes with names of columns, or in a form that no server takes back. */
const tables: readonly { readonly name: string; readonly make: string; readonly rows: string }[] = [
  {
    name: "hidden_column",
    make: "(id int PRIMARY KEY, h int INVISIBLE DEFAULT 4, t varchar(20))",
    rows: "(id, h, t) VALUES (1, 2, 'one'), (2, NULL, '')",
  },
  {
    name: "hidden_without_key",
    make: "(id int, h int INVISIBLE DEFAULT 4)",
    rows: "(id, h) VALUES (1, 2), (1, 2), (2, 3)",
  },
  {
    name: "computed",
    make: "(id int PRIMARY KEY, s int GENERATED ALWAYS AS (id + 1) STORED, v varchar(20) GENERATED ALWAYS AS (concat('x', id)) VIRTUAL, t text)",
    rows: "(id, t) VALUES (1, 'one'), (2, NULL)",
  },
  {
    name: "computed_with_float",
    make: "(id int PRIMARY KEY, f float, s int GENERATED ALWAYS AS (id + 1) STORED)",
    rows: "(id, f) VALUES (1, 0.1), (2, 3.3333333)",
  },
  {
    name: "computed_and_hidden",
    make: "(h int INVISIBLE DEFAULT 4, id int, s int GENERATED ALWAYS AS (id + 1) STORED, KEY (s))",
    rows: "(id) VALUES (1), (1), (2)",
  },
  {
    name: "computed_bits",
    make: "(id int PRIMARY KEY, b bit(13), w blob, j json, d date NOT NULL, s int GENERATED ALWAYS AS (id + 1) STORED)",
    rows: `(id, b, w, j, d) VALUES (1, b'101', '\\0\\n''', '{"a": [1, null]}', '2024-02-29'), (2, NULL, '', NULL, '1000-01-01')`,
  },
  {
    name: "computed_default",
    make: "(id int PRIMARY KEY, d varchar(40) DEFAULT (concat('x', 'y')))",
    rows: "(id) VALUES (1), (2)",
  },
  ...(product === "MySQL"
    ? [
        {
          name: "key_made_by_server",
          make: "(t varchar(20), n int)",
          rows: "(t, n) VALUES ('a', 1), ('a', 1), ('b', 2)",
        },
        {
          name: "literals_of_other_character_sets",
          make: `(id int PRIMARY KEY, b blob DEFAULT (concat('a''', char(7))), t varchar(9) CHARACTER SET latin1,
            g varchar(20) GENERATED ALWAYS AS (concat(rtrim(t), 'x')) STORED, CHECK (t <> 'it''s'))`,
          rows: "(id, t) VALUES (1, 'a'), (2, 'b')",
        },
        {
          name: "key_on_expression",
          make: "(id int PRIMARY KEY, t varchar(20), KEY ((lower(t))))",
          rows: "(id, t) VALUES (1, 'A'), (2, 'b')",
        },
      ]
    : []),
];

let schema: FreshSchema;
let manifest: Manifest;
let restored: DatabaseAccess;
let differences: readonly Difference[];
const rowsOf = (database: string, name: string, columns: string) =>
  schema.query(`SELECT ${columns} FROM ${sqlName(database)}.${sqlName(name)} ORDER BY 1, 2`);

beforeAll(async () => {
  const work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
  schema = await freshSchema();
  for (const { name, make, rows } of tables) {
    if (name === "key_made_by_server")
      await schema.query(
        `CREATE TABLE ${name} (my_row_id bigint unsigned NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, ${make.slice(1)}`,
      );
    else await schema.query(`CREATE TABLE ${name} ${make}`);
    await schema.query(`INSERT INTO ${name} ${rows}`);
  }
  const sitesPath = join(work.path, "sites");
  const context = await contextFor({ schema, sitesPath, directory: work.path, dumps: { format: "portable" } });
  ({ manifest } = await takeDump(context));
  restored = { ...context.restoreDatabase, name: `${schema.name}_copy` };
  const { mariadb } = context.tools;
  await context.store.readDatabase(
    manifest.database.part,
    async (stream) => void (await loadDatabase(restored, manifest, stream, { mariadb, ...context, deferKeysFrom: 0 })),
    context,
  );
  ({ differences } = await compareRestored(context, restored, sitesPath, manifest));
});
afterAll(() => schema.drop());

describe("a table of a shape that dump programs write in another form", () => {
  it.each(tables)("comes back with every row, and each is counted: $name", async ({ name }) => {
    const names = await schema.query(
      "SELECT COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
      [schema.name, name],
    );
    const columns = names.map(({ c }) => sqlName(String(c))).join(", ");
    const source = await rowsOf(schema.name, name, columns);

    expect(await rowsOf(restored.name, name, columns)).toEqual(source);
    expect(manifest.database.tables.find((table) => table.name === name)?.rows).toBe(source.length);
  });

  it("has no rows and no structure that the comparison finds to be others", () => {
    expect(differences.filter(({ kind }) => kind === "table" || kind === "structure")).toEqual([]);
  });
});

describe("mariadb-dump of MariaDB 11.8", () => {
  const newer = findUnpacked(mariaDb118OfDebian, "mariadb-dump");

  it("gives each table the figures that the system's gives it", async () => {
    const access = { ...accessOf(schema, schema.dumpUser) };
    const figures = async (mariadbDump: string) => {
      const { digest } = await dumpDatabase(access, () => undefined, {
        mariadbDump,
        stallSeconds: 60,
        now: () => new Date(),
        signal: new AbortController().signal,
        progress: () => undefined,
      });
      return digest.tables.map(({ name, rows, byteLength, sha256 }) => ({ name, rows, byteLength, sha256 }));
    };
    if (newer === undefined) return expect(serversMissing()).toContain(mariaDb118OfDebian); // the closing line counts it

    expect(await figures(newer)).toEqual(await figures(findTool("mariadb-dump") ?? "mariadb-dump"));
  });
});
