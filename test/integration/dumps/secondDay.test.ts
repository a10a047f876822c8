import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aSource, type Source } from "../../support/aSource.ts";
import { contextFor } from "../../support/dumpContext.ts";

const rows = 40_000;

let source: Source;
beforeAll(async () => {
  source = await aSource();
  for (const [table, amount] of [
    ["visits", "INT"],
    ["doses", "FLOAT"], // its rows are written by ourselves
  ]) {
    await source.schema.query(
      `CREATE TABLE ${table} (id BIGINT NOT NULL PRIMARY KEY, amount ${amount}, note TEXT) ENGINE=InnoDB`,
    );
    await source.schema.query(
      `INSERT INTO ${table} SELECT seq, seq, CONCAT(SHA2(CONCAT('${table}', seq), 512), SHA2(seq * 3, 512), REPEAT('x', seq % 97)) FROM seq_1_to_${rows}`,
    );
  }
});
afterAll(() => source.remove());

const bytesBelow = async (directory: string): Promise<number> => {
  let sum = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return sum;
};

it("stores little on the day after a few rows became longer, however many rows follow them", async () => {
  const { schema, directory, sitesPath } = source;
  const context = await contextFor({ schema, sitesPath, directory });
  await takeDump(context);
  const first = await bytesBelow(join(directory, "repository"));
  expect(first).toBeGreaterThan(10_000_000);

  await schema.query("UPDATE visits SET note = CONCAT(note, ' and a word more') WHERE id IN (40, 9000)");
  await schema.query("UPDATE doses SET note = CONCAT(note, ' and a word more') WHERE id IN (40, 9000)");
  await takeDump(context);

  expect((await bytesBelow(join(directory, "repository"))) - first).toBeLessThan(first / 2);
});
