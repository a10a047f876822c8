import { join } from "node:path";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { contextFor } from "../support/dumpContext.ts";
import { numbers } from "../support/numbers.ts";

/** Enough rows for keys to come after them, enough bytes for every connection to take its turns. */
const rows = 12_000;
const tables = ["wide_a", "wide_b", "wide_c", "wide_d"];

let source: Clinic;
beforeAll(async () => {
  source = await aClinic({ programs: false });
  for (const table of tables) {
    await source.schema.query(
      `CREATE TABLE ${table} (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(40) NOT NULL, day DATE, note TEXT,
       UNIQUE KEY code (code), KEY day (day), KEY note (note(30), day)) ENGINE=InnoDB`,
    );
  }
  for (const table of tables)
    await source.schema.query(
      `INSERT INTO ${table} (code, day, note) SELECT CONCAT('${table}', LEFT(SHA2(n, 256), 32)), '2020-01-01' + INTERVAL n % 3000 DAY,
       CONCAT('\\');', REPEAT(SHA2(n * 7, 256), 12), '\\n(\\'', n) FROM ${numbers(rows)}`,
    );
});
afterAll(() => source.remove());

describe("a restore of tables so large that several connections share them", () => {
  it("loads every row and every key, whichever connection stands between two statements", async () => {
    const { schema, directory, sitesPath } = source;
    const context = await contextFor({ schema, sitesPath, directory });
    await takeDump(context);
    const target = `${schema.name}_large`;
    const verdict = await restoreDump(context, {
      dump: "latest",
      intoDatabase: target,
      intoSites: join(directory, "restored-large"),
    });
    expect(verdict).toMatchObject({ verdict: "passed", differences: [] });
    for (const table of tables) {
      const keys = await schema.query(
        `SELECT INDEX_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '${target}' AND TABLE_NAME = '${table}'`,
      );
      expect(keys.map(({ name }) => name).sort()).toEqual(["PRIMARY", "code", "day", "note", "note"]);
    }
  });
});
