import { join } from "node:path";
import { readCatalogue } from "@openemr-ops/database/catalogue";
import { connectReadOnly } from "@openemr-ops/database/connection";
import type { DumpContext } from "@openemr-ops/dumps/context";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { compareRestored } from "@openemr-ops/dumps/steps/compare";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { findUnpacked } from "@openemr-ops/local/tools/debianPackages";
import { mariaDb118OfDebian } from "@openemr-ops/local/tools/otherServers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { accessOf } from "../support/database.ts";
import { contextFor } from "../support/dumpContext.ts";
import { runStatements } from "../support/runStatements.ts";

const { product } = inject("server");

/** One of everything that a table can be made of, in words that both products take. */
const tables = [
  `CREATE TABLE made_of (
    id BIGINT NOT NULL AUTO_INCREMENT, n INT DEFAULT 5, short_text VARCHAR(20) DEFAULT 'it''s \\\\ so',
    latin VARCHAR(10) CHARACTER SET latin1 DEFAULT NULL, at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
    kind ENUM('a', 'B') DEFAULT 'a', kept INT GENERATED ALWAYS AS (n + 1) STORED, virtual_one INT GENERATED ALWAYS AS (n * 2) VIRTUAL,
    j JSON, bits BIT(3) DEFAULT b'101', price DECIMAL(10, 2) UNSIGNED DEFAULT '1.50', code VARBINARY(4) DEFAULT 'ab', y YEAR DEFAULT '2000',
    made VARCHAR(40) DEFAULT (UUID()), place POINT NOT NULL, body TEXT COMMENT 'it''s a "body"',
    PRIMARY KEY (id), UNIQUE KEY one_of (n, kind), KEY backwards (short_text (5) DESC, n) COMMENT 'for lists', FULLTEXT KEY words (body),
    SPATIAL KEY places (place), CONSTRAINT more CHECK (n > 3)) COLLATE utf8mb4_unicode_ci COMMENT 'q"uo''te'`,
  "CREATE TABLE parted (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)",
  "CREATE TABLE child (id INT PRIMARY KEY, parent BIGINT, CONSTRAINT child_of FOREIGN KEY (parent) REFERENCES made_of (id) ON DELETE CASCADE)",
  ...(product === "MariaDB" ? ["CREATE SEQUENCE numbers START WITH 7 INCREMENT BY 3"] : []),
];

/** What somebody, or a fault of ours, could do to a copy without touching a row. */
const falsifications: readonly (readonly [what: string, table: string, wrong: string])[] = [
  ["a column is gone", "made_of", "ALTER TABLE made_of DROP COLUMN body"],
  ["a column has another name", "made_of", "ALTER TABLE made_of RENAME COLUMN body TO bodies"],
  ["a column is wider", "made_of", "ALTER TABLE made_of MODIFY latin VARCHAR(11) CHARACTER SET latin1 DEFAULT NULL"],
  ["a column takes no NULL", "made_of", "ALTER TABLE made_of MODIFY n INT NOT NULL DEFAULT 5"],
  ["a column has another default", "made_of", "ALTER TABLE made_of ALTER n SET DEFAULT 6"],
  ["a column has no default", "made_of", "ALTER TABLE made_of ALTER short_text DROP DEFAULT"],
  ["a default is another expression", "made_of", "ALTER TABLE made_of ALTER made SET DEFAULT (CONCAT('x', 'y'))"],
  [
    "a column sorts otherwise",
    "made_of",
    "ALTER TABLE made_of MODIFY kind ENUM('a', 'B') COLLATE utf8mb4_bin DEFAULT 'a'",
  ],
  ["a column lost its comment", "made_of", "ALTER TABLE made_of MODIFY body TEXT"],
  [
    "a time is not kept up",
    "made_of",
    "ALTER TABLE made_of MODIFY at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)",
  ],
  [
    "a value is made otherwise",
    "made_of",
    "ALTER TABLE made_of MODIFY virtual_one INT GENERATED ALWAYS AS (n * 3) VIRTUAL",
  ],
  ["ids no longer count", "made_of", "ALTER TABLE made_of MODIFY id BIGINT NOT NULL"],
  ["a key is gone", "made_of", "ALTER TABLE made_of DROP KEY backwards"],
  ["a key no longer keeps values apart", "made_of", "ALTER TABLE made_of DROP KEY one_of, ADD KEY one_of (n, kind)"],
  [
    "a key is shorter",
    "made_of",
    "ALTER TABLE made_of DROP KEY backwards, ADD KEY backwards (short_text (4) DESC, n) COMMENT 'for lists'",
  ],
  ["a foreign key is gone", "child", "ALTER TABLE child DROP FOREIGN KEY child_of"],
  [
    "a foreign key does something else",
    "child",
    "ALTER TABLE child DROP FOREIGN KEY child_of; ALTER TABLE child ADD CONSTRAINT child_of FOREIGN KEY (parent) REFERENCES made_of (id)",
  ],
  ["a rule for values is gone", "made_of", "ALTER TABLE made_of DROP CONSTRAINT more"],
  [
    "a rule for values is another",
    "made_of",
    "ALTER TABLE made_of DROP CONSTRAINT more, ADD CONSTRAINT more CHECK (n > 2)",
  ],
  ["the table sorts otherwise", "made_of", "ALTER TABLE made_of COLLATE utf8mb4_bin"],
  ["the table lost its comment", "made_of", "ALTER TABLE made_of COMMENT ''"],
  [
    "a part is another",
    "parted",
    "ALTER TABLE parted REORGANIZE PARTITION p0, p1 INTO (PARTITION p0 VALUES LESS THAN (2001), PARTITION p1 VALUES LESS THAN MAXVALUE)",
  ],
  ["rows are packed otherwise", "child", "ALTER TABLE child ROW_FORMAT=COMPRESSED"],
  ...(product === "MySQL"
    ? ([["a key is not used", "made_of", "ALTER TABLE made_of ALTER INDEX backwards INVISIBLE"]] as const)
    : ([["a key is not used", "made_of", "ALTER TABLE made_of ALTER INDEX backwards IGNORED"]] as const)),
];

let clinic: Clinic;
let context: DumpContext;
let manifest: Manifest;

const catalogueOf = async (schema: string) => {
  await using connection = await connectReadOnly(accessOf(clinic.schema, clinic.schema.restoreUser), schema);
  return await readCatalogue(connection, schema, product);
};

beforeAll(async () => {
  clinic = await aClinic();
  for (const statement of tables) await clinic.schema.query(statement);
  await clinic.schema.query(
    "INSERT INTO made_of (n, latin, j, place, body) VALUES (4, 'é', '{\"a\": 1}', ST_GeomFromText('POINT(1 2)'), 'words')",
  );
  context = await contextFor({ ...clinic, dumps: { format: "portable" } });
  ({ manifest } = await takeDump(context));
});
afterAll(() => clinic.remove());

describe("what a table is made of", () => {
  it("is recorded for every table, as the dump user sees it", async () => {
    const recorded = manifest.database.tables.map(({ name, catalogue }) => [name, catalogue] as const);

    expect(new Map(recorded)).toEqual(await catalogueOf(clinic.schema.name));
  });

  it("has the same digest on every server, whatever words each has for it", async () => {
    const here = await catalogueOf(clinic.schema.name);
    const structures = ["made_of", "parted", "child"].map((table) => [table, here.get(table)?.structure]);

    expect(Object.fromEntries(structures)).toEqual({
      child: "fe52bc18c62089198649ca511be4fbc1d5b9ddc7445df1ee2e30919b52f76ea0",
      made_of: "8ec96e320ee241bf1ad34e53b27ccf5670804da6ae008fcbf2cff4c5f0e62329",
      parted: "0a2944dfea3f40312168db61ebe02db903b7ac581a94a644b8679cb554fa5264",
    });
  });

  it("is the same in a copy, however the server prints it, and another when the copy was changed", async () => {
    const copy = { database: `${clinic.schema.name}_copy`, sites: join(clinic.directory, "copy") };
    const { database: intoDatabase, sites: intoSites } = copy;
    const later = { ...context, deferKeysFrom: 0 };
    const verdict = await restoreDump(later, { dump: manifest.dumpId, intoDatabase, intoSites });
    expect(verdict).toMatchObject({ verdict: "passed", differences: [] });

    const changes = [
      "ALTER TABLE log ADD KEY more (id)",
      ...(product === "MariaDB" ? ["SELECT SETVAL(numbers, 5000)"] : []),
    ];
    await runStatements(clinic.schema, copy.database, changes);
    const access = { ...context.restoreDatabase, name: copy.database };
    const { differences } = await compareRestored(context, access, copy.sites, manifest);
    expect(differences.map(({ kind, subject }) => [kind, subject]).sort()).toEqual(
      changes.map((_, index) => ["structure", ["log", "numbers"][index]]),
    );
  });

  const clients = [
    ["the system's mariadb-dump", "mariadb-dump"],
    ["mariadb-dump 11.8", findUnpacked(mariaDb118OfDebian, "mariadb-dump") ?? ""],
  ] as const;
  const pairs = clients.flatMap((by) => clients.map((with_) => [by[0], with_[0], by[1], with_[1]] as const));

  it.each(pairs)("is the same for a dump by %s that is drilled with %s", async (_, __, writes, reads) => {
    const by = (mariadbDump: string): DumpContext => ({ ...context, tools: { ...context.tools, mariadbDump } });
    const taken = await takeDump(by(writes));
    expect(await drillDump(by(reads), taken.dumpId)).toMatchObject({ verdict: "passed" });

    // A dump of an earlier release, which has only the text of the statements.
    const { tables: made, programs, ...rest } = taken.manifest.database;
    const earlier: Manifest = {
      ...taken.manifest,
      database: {
        ...rest,
        tables: made.map(({ catalogue: _, ...table }) => table),
        programs: programs.map(({ meaningSha256: _, ...program }) => program),
      },
    };
    const meanings = new Map(programs.map(({ section, meaningSha256 = "" }) => [section, meaningSha256]));
    const compared = await compareRestored(by(reads), context.database, clinic.sitesPath, earlier, { meanings });
    expect(compared.differences).toEqual([]);
  });

  describe("is not the same", () => {
    const schema = () => `${clinic.schema.name}_changed`;

    beforeEach(async () => {
      await clinic.schema.query(`CREATE DATABASE ${schema()} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
      await runStatements(clinic.schema, schema(), tables);
    });
    afterEach(() => clinic.schema.query(`DROP DATABASE ${schema()}`));

    it.each(falsifications)("when %s", async (_, table, change) => {
      const before = await catalogueOf(schema());
      await runStatements(clinic.schema, schema(), change.split("; "));
      const after = await catalogueOf(schema());

      expect(
        [...after]
          .filter(([name, { structure, details }]) => {
            const was = before.get(name);
            return was?.structure !== structure || was.details !== details;
          })
          .map(([name]) => name),
      ).toEqual([table]);
    });
  });
});
