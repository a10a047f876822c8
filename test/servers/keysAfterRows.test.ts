import { join } from "node:path";
import { LoadFailedError } from "@openemr-ops/core/errors";
import { loadDatabase } from "@openemr-ops/database/loadDatabase";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type FreshSchema, freshSchema } from "../support/database.ts";
import { aWorkDirectory } from "../support/dumpContext.ts";
import { type RoundTrip, roundTrip } from "../support/roundTrip.ts";
import { runStatements } from "../support/runStatements.ts";
import { schemaImage } from "../support/schemaImage.ts";
import { aSite } from "../support/sitesTree.ts";

const { product } = inject("server");

/** Tables whose keys cannot all wait, or whose definitions read like others. */
const shapes: readonly (readonly [name: string, make: string, rows: string])[] = [
  [
    "counted_beside_key",
    "(a int NOT NULL, n int NOT NULL AUTO_INCREMENT COMMENT 'counts, (so)', PRIMARY KEY (a, n), KEY n (n), KEY a (a))",
    "(a, n) VALUES (1, 1), (1, 2), (2, 3)",
  ],
  [
    "counted_unique",
    "(id int PRIMARY KEY, n bigint NOT NULL AUTO_INCREMENT COMMENT 'it''s `n`', UNIQUE KEY n (n), KEY id_n (id, n))",
    "(id, n) VALUES (1, 5), (2, 6)",
  ],
  [
    "not_compressed",
    "(id int PRIMARY KEY, t varchar(50), KEY t (t)) ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=8",
    "VALUES (1, 'a'), (2, 'b')",
  ],
  [
    "speaks_of_keys",
    "(id int PRIMARY KEY COMMENT 'x AUTO_INCREMENT', t varchar(50) DEFAULT ', KEY `t` (`t`),' COMMENT 'PRIMARY KEY (`t`', KEY `a,b) (``c` (t) COMMENT '), KEY `t` (`t`);') COMMENT=') ENGINE=MyISAM'",
    "(id) VALUES (1), (2)",
  ],
  [
    "computed_keys",
    "(id int AUTO_INCREMENT PRIMARY KEY, n int, v int GENERATED ALWAYS AS (n + 1) VIRTUAL, s int GENERATED ALWAYS AS (n * 2) STORED, KEY v (v), UNIQUE KEY s (s), KEY both_ (v, n DESC))",
    "(n) VALUES (1), (2)",
  ],
  ["unique_without_primary", "(a int NOT NULL, b int, UNIQUE KEY a (a), KEY b (b))", "VALUES (2, 1), (1, NULL)"],
  ["of_no_row", "(id int PRIMARY KEY, a int, KEY a (a))", ""],
  ["referred_to", "(id int PRIMARY KEY, code int NOT NULL, UNIQUE KEY code (code))", "VALUES (1, 10), (2, 20)"],
  [
    "a_refers_onward",
    "(id int PRIMARY KEY, code int, CONSTRAINT of_code_too FOREIGN KEY (code) REFERENCES referred_to (code))",
    "VALUES (1, 10), (2, 20)",
  ],
  [
    "earlier_referred_to",
    "(id int PRIMARY KEY, code int NOT NULL, f float, UNIQUE KEY code (code))",
    "VALUES (1, 10, 0.1)",
  ],
  [
    "exact_refers",
    "(id int PRIMARY KEY, code int, f float, CONSTRAINT of_exact FOREIGN KEY (code) REFERENCES earlier_referred_to (code))",
    "VALUES (1, 10, 0.1)",
  ],
  [
    "refers",
    "(id int PRIMARY KEY, code int, KEY code (code), CONSTRAINT of_code FOREIGN KEY (code) REFERENCES referred_to (code))",
    "VALUES (1, 10), (2, 20)",
  ],
  [
    "parted_keys",
    "(id int, y int, t varchar(9), PRIMARY KEY (id, y), KEY t (t)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000) COMMENT='KEY', PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "VALUES (1, 1999, 'a'), (2, 2024, 'b')",
  ],
  ...(product === "MariaDB"
    ? ([
        [
          "long_unique",
          "(id int PRIMARY KEY, t text, UNIQUE KEY t (t), KEY id_t (id, t(5)))",
          "VALUES (1, 'a'), (2, 'b')",
        ],
        ["historical", "(id int PRIMARY KEY, a int, KEY a (a)) WITH SYSTEM VERSIONING", "VALUES (1, 1)"],
        [
          "periods",
          "(id int, a date, b date, n int, PERIOD FOR p (a, b), PRIMARY KEY (id, p WITHOUT OVERLAPS), KEY n (n))",
          "VALUES (1, '2020-01-01', '2021-01-01', 3)",
        ],
        ["unused", "(id int PRIMARY KEY, a int, KEY a (a) IGNORED)", "VALUES (1, 1)"],
      ] as const)
    : ([
        ["on_expression", "(id int PRIMARY KEY, t varchar(9), KEY low ((lower(t))), KEY t (t))", "VALUES (1, 'A')"],
        [
          "unused",
          "(id int PRIMARY KEY, a int, KEY a (a) INVISIBLE, h int INVISIBLE, KEY h (h))",
          "(id, a) VALUES (1, 1)",
        ],
        ["many_valued", "(id int PRIMARY KEY, j json, KEY j ((CAST(j AS UNSIGNED ARRAY))))", "VALUES (1, '[1, 2]')"],
      ] as const)),
];

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
let schema: FreshSchema;
let trip: RoundTrip;

beforeAll(async () => {
  work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
  schema = await freshSchema();
  await runStatements(schema, schema.name, [
    "SET SESSION innodb_strict_mode = 0, foreign_key_checks = 0",
    ...shapes.map(([name, make]) => `CREATE TABLE ${name} ${make}`),
    ...shapes.filter(([, , rows]) => rows).map(([name, , rows]) => `INSERT INTO ${name} ${rows}`),
  ]);
  trip = await roundTrip({ schema, sitesPath: join(work.path, "sites"), directory: work.path, deferKeysFrom: 0 });
});
afterAll(async () => {
  await schema.drop();
  await work.remove();
});

describe("a table whose keys are made when its rows are in", () => {
  it("comes back with the same rows, keys and next number, whatever its definition holds", async () => {
    expect(trip.verdict).toMatchObject({ verdict: "passed", differences: [] });
    expect(await schemaImage(schema, trip.restored.name)).toEqual(await schemaImage(schema, schema.name));
  });

  it("is named with the statement when its keys cannot be made, whatever is loaded meanwhile", async () => {
    await using odd = await freshSchema();
    await runStatements(odd, odd.name, [
      "CREATE TABLE a_first (id int PRIMARY KEY, t varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, UNIQUE KEY t (t))",
      "INSERT INTO a_first VALUES (1, 'a'), (2, 'A')",
      "CREATE TABLE b_second (id int PRIMARY KEY, t varchar(9), KEY t (t))",
      "INSERT INTO b_second VALUES (1, 'a'), (2, 'A')",
      "CREATE TABLE c_third (id int PRIMARY KEY, t varchar(9))",
      "INSERT INTO c_third VALUES (1, 'a')",
    ]);
    const { context, manifest } = await roundTrip({
      schema: odd,
      sitesPath: join(work.path, "sites"),
      directory: join(work.path, "odd"),
    });
    const load = (from: string, to: string) =>
      context.store.readDatabase(
        manifest.database.part,
        async (stream) => {
          // The copy's key takes the two for the same.
          const changed = stream.map((chunk: Buffer) =>
            Buffer.from(chunk.toString("latin1").replace(from, to), "latin1"),
          );
          const { mariadb } = context.tools;
          const byteLength = manifest.database.byteLength + to.length - from.length;
          const looser: Manifest = { ...manifest, database: { ...manifest.database, byteLength } };
          const into = { ...context.restoreDatabase, name: `${odd.name}_other` };
          await loadDatabase(into, looser, changed, { mariadb, ...context, deferKeysFrom: 0 });
        },
        context,
      );

    await expect(load("COLLATE utf8mb4_bin", "COLLATE utf8mb4_general_ci")).rejects.toThrow(
      expect.objectContaining({
        name: new LoadFailedError("").name,
        message: expect.stringMatching(
          /^adding the keys of table a_first \(ALTER TABLE … ADD KEY\): server error 1062/,
        ),
      }),
    );
    await odd.query(`DROP DATABASE ${sqlName(`${odd.name}_other`)}`);
  });
});
