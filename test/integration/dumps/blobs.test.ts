import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshSchema } from "../../support/database.ts";
import { aWorkDirectory } from "../../support/dumpContext.ts";
import { roundTrip } from "../../support/roundTrip.ts";
import { runStatements } from "../../support/runStatements.ts";
import { schemaImage } from "../../support/schemaImage.ts";
import { aSite } from "../../support/sitesTree.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
});
afterAll(() => work.remove());

/** So many bytes, near enough, of one row. */
const megabytes = (count: number): string => `REPEAT(RANDOM_BYTES(1021), ${count * 1027})`;
const awkwardText = (count: number): string => `REPEAT('é\\'"\\\\\\n\\r\\0\\Z;),\\n(-- 🩺', ${count * 40_000})`;

it("brings back rows of tens of megabytes, in tables with and without a key and FLOAT columns", {
  timeout: 180_000,
}, async () => {
  await using schema = await freshSchema();
  await runStatements(schema, schema.name, [
    "CREATE TABLE images (id int PRIMARY KEY, v longblob)",
    `INSERT INTO images VALUES (1, ''), (2, ${megabytes(8)}), (3, NULL), (5, '\\0')`,
    `INSERT INTO images VALUES (4, ${megabytes(64)})`,
    "CREATE TABLE unkeyed (v longblob, w longtext)",
    `INSERT INTO unkeyed VALUES (${megabytes(16)}, 'x')`,
    `INSERT INTO unkeyed VALUES (NULL, ${awkwardText(16)})`,
    "CREATE TABLE exact (id int PRIMARY KEY, f float, v longblob, w longtext)",
    `INSERT INTO exact VALUES (1, 0.1, ${megabytes(24)}, ''), (2, 3.3333333, NULL, ${awkwardText(8)})`,
  ]);

  const { verdict, restored, manifest } = await roundTrip({
    schema,
    sitesPath: join(work.path, "sites"),
    directory: work.path,
  });

  expect(await schemaImage(schema, restored.name)).toEqual(await schemaImage(schema, schema.name));
  expect(verdict.verdict).toBe("passed");
  expect(manifest.database.largestStatement).toBeGreaterThan(130_000_000);
});
