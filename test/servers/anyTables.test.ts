import { rm } from "node:fs/promises";
import { join } from "node:path";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type ColumnType, columnTypesOf } from "../support/columnTypes.ts";
import { freshSchema } from "../support/database.ts";
import { aWorkDirectory } from "../support/dumpContext.ts";
import { roundTrip } from "../support/roundTrip.ts";
import { runStatements } from "../support/runStatements.ts";
import { schemaImage } from "../support/schemaImage.ts";
import { aSite } from "../support/sitesTree.ts";

let work: Awaited<ReturnType<typeof aWorkDirectory>>;
beforeAll(async () => {
  work = await aWorkDirectory();
  await aSite(join(work.path, "sites"));
});
afterAll(() => work.remove());

/** Values of one type as a table of its own. */
interface TypedTable {
  readonly name: string;
  readonly type: string;
  /** SQL expressions. */
  readonly rows: readonly string[];
  readonly keyed: boolean;
  /** With a FLOAT column beside it, so that our own reader writes the rows and not the dump program. */
  readonly exact: boolean;
  /** INVISIBLE: the dump program names the columns. */
  readonly hidden: boolean;
  readonly engine: "InnoDB" | "MyISAM";
  /** A key that is made when the rows are in. */
  readonly laterKey: boolean;
}

const tableOf = ({ type, values }: ColumnType, index: number): fc.Arbitrary<TypedTable> =>
  fc
    .record({
      rows: fc.array(fc.option(values, { nil: "NULL", freq: 9 }), { minLength: 20, maxLength: 40, size: "max" }),
      keyed: fc.boolean(),
      exact: fc.boolean(),
      hidden: fc.boolean(),
      engine: fc.constantFrom("InnoDB", "InnoDB", "MyISAM"),
      laterKey: fc.boolean(),
    })
    .map((made) => ({ type, ...made, name: `t${index} ${type.slice(0, 40)}` }));

/** Text and bytes are keyed by their beginnings, shapes not at all. */
const keyOf = (type: string): string => {
  if (/geom|point|line|polygon|json/.test(type)) return "n";
  return /text|blob|char|binary\(/.test(type) ? "v(5), n" : "v, n";
};
const creationOf = ({ name, type, keyed, exact, hidden, engine, laterKey }: TypedTable): string =>
  `CREATE TABLE ${sqlName(name)} (n int NOT NULL${keyed ? " PRIMARY KEY" : ""}, v ${type} NULL${hidden ? " INVISIBLE" : ""}${exact ? ", f float" : ""}${laterKey ? `, KEY \`later (v)\` (${keyOf(type)})` : ""}) ENGINE=${engine}`;
const fillingOf = ({ name, rows, keyed, exact }: TypedTable): string =>
  `INSERT INTO ${sqlName(name)} (n, v${exact ? ", f" : ""}) VALUES ${rows
    .map((value, index) => `(${keyed ? index : index % 3}, ${value}${exact ? `, ${index}.1` : ""})`)
    .join(",\n")}`;

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name < other.name ? -1 : 1;

it("brings back every value of every type of column, byte for byte", { timeout: 120_000 }, () =>
  fc.assert(
    fc.asyncProperty(fc.tuple(...columnTypesOf(inject("server").product).map(tableOf)), async (tables) => {
      await using schema = await freshSchema();
      await runStatements(schema, schema.name, tables.map(creationOf));
      await runStatements(schema, schema.name, tables.map(fillingOf));

      const directory = join(work.path, schema.name);
      const { verdict, restored, manifest } = await roundTrip({
        schema,
        sitesPath: join(work.path, "sites"),
        directory,
        deferKeysFrom: 0,
      });

      expect(verdict.verdict).toBe("passed");
      expect(manifest.database.tables.map(({ name, rows }) => ({ name, rows })).sort(byName)).toEqual(
        tables.map(({ name, rows }) => ({ name, rows: rows.length })).sort(byName),
      );
      expect(await schemaImage(schema, restored.name)).toEqual(await schemaImage(schema, schema.name));
      await rm(directory, { recursive: true });
    }),
    { numRuns: 2, endOnFailure: true },
  ),
);
