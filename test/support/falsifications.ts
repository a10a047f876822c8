import { spawnSync } from "node:child_process";
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Row, sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { columnTypesOf } from "./columnTypes.ts";
import type { FreshSchema } from "./database.ts";
import { runStatements } from "./runStatements.ts";

/** One thing that is made wrong in a copy. */
export interface Falsification {
  readonly what: string;
  /** @returns whether it changed anything */
  change(): Promise<boolean>;
  back(): Promise<void>;
}

const rowsOfTable = 6;
const isExact = (index: number): boolean => index % 3 === 0;
const isKeyed = (index: number): boolean => index % 2 === 0;
const columnsOf = (index: number): string => `n, v${isExact(index) ? ", f" : ""}`;

/** A table for each type of column, half of them with a primary key, some with a FLOAT beside. */
export const typedTables = (product: FreshSchema["product"], seed: number): readonly string[] =>
  columnTypesOf(product).flatMap(({ type, values }, index) => [
    `CREATE TABLE t${index} (n int NOT NULL${isKeyed(index) ? " PRIMARY KEY" : ""}, v ${type} NULL${isExact(index) ? ", f float" : ""})`,
    ...fc
      .sample(fc.option(values, { nil: "NULL", freq: 5 }), { seed: seed + index, numRuns: rowsOfTable })
      .map((value, n) => `INSERT INTO t${index} VALUES (${n}, ${value}${isExact(index) ? `, ${n}.1` : ""})`),
  ]);

/** What tells two values apart, whatever their type. */
const imageOf = (type: string): string => {
  if (/^(?:float|double)/.test(type)) return "CONCAT(v * 1e0)";
  return /^(?:geometry|point|linestring|polygon)/.test(type) ? "HEX(v)" : "HEX(CONCAT(v))";
};

/** The next number that a FLOAT can be, as SQL. */
const nextFloat = (value: number): string => {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, value);
  bits.setUint32(0, bits.getUint32(0) + 1);
  return bits.getFloat32(0).toExponential();
};

/**
 * Falsifications of rows of `typedTables`.
 *
 * @param copy name of the schema that they change
 * @param kept name of one that has the same rows, and keeps them
 */
export const falseRows = (schema: FreshSchema, copy: string, kept: string): fc.Arbitrary<Falsification> =>
  fc
    .nat(columnTypesOf(schema.product).length - 1)
    .chain((index) => {
      const { type, values } = columnTypesOf(schema.product)[index] ?? { type: "int", values: fc.constant("0") };
      return fc.record({
        index: fc.constant(index),
        type: fc.constant(type),
        n: fc.nat(rowsOfTable - 1),
        value: values,
        kind: fc.constantFrom(
          ...(["removed", "added", "duplicated", "changed", "changed", "null", "empty", "last character"] as const),
          ...(isExact(index) ? (["last bit of a FLOAT"] as const) : []),
        ),
      });
    })
    .map(({ index, type, n, value, kind }) => {
      const table = `${sqlName(copy)}.t${index}`;
      const columns = columnsOf(index);
      const statement = {
        removed: `DELETE FROM ${table} WHERE n = ${n}`,
        added: `INSERT INTO ${table} (n, v) VALUES (100, ${value})`,
        duplicated: `INSERT INTO ${table} (${columns}) SELECT ${columns.replace("n", isKeyed(index) ? "n + 100" : "n")} FROM ${table} WHERE n = ${n}`,
        changed: `UPDATE ${table} SET v = ${value} WHERE n = ${n}`,
        null: `UPDATE ${table} SET v = NULL WHERE n = ${n}`,
        empty: `UPDATE ${table} SET v = '' WHERE n = ${n}`,
        "last character": `UPDATE ${table} SET v = INSERT(v, CHAR_LENGTH(v), 1, '~') WHERE n = ${n}`,
        "last bit of a FLOAT": `UPDATE ${table} SET f = ${nextFloat(n + 0.1)} WHERE n = ${n}`,
      }[kind];
      const image = async (): Promise<string> => {
        const f = isExact(index) ? "CONCAT(f * 1e0)" : "0";
        const rows: readonly Row[] = await schema.query(
          `SELECT n, ${imageOf(type)} AS v, ${f} AS f FROM ${table} ORDER BY 1, 2, 3`,
        );
        return JSON.stringify(rows);
      };
      return {
        what: `a row ${kind}: ${statement}`,
        change: async () => {
          const before = await image();
          // Not every type has an empty value.
          await runStatements(schema, copy, [statement]).catch(() => {});
          return (await image()) !== before;
        },
        back: () =>
          runStatements(schema, copy, [
            `DELETE FROM ${table}`,
            `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${sqlName(kept)}.t${index}`,
          ]),
      };
    });

/** Statements as the schema's restore user, and those that take them back. */
export const falseStructures = (
  schema: FreshSchema,
  pairs: readonly (readonly [change: string, back: string])[],
): fc.Arbitrary<Falsification> =>
  fc.constantFrom(...pairs).map(([change, back]) => ({
    what: change,
    change: async () => {
      await schema.as(schema.restoreUser, [change]);
      return true;
    },
    back: () => schema.as(schema.restoreUser, [back]),
  }));

type Change = (path: string) => Promise<unknown>;
const ofFiles: Readonly<Record<string, Change>> = {
  "a byte": async (path) => {
    const content = await readFile(path);
    const at = content.length >> 1;
    content[at] = (content[at] ?? 0) ^ 1;
    await writeFile(path, content);
  },
  "a byte more": (path) => writeFile(path, "x", { flag: "a" }),
  "no content": (path) => writeFile(path, ""),
  "another kind": async (path) => {
    await rm(path);
    await symlink("elsewhere", path);
  },
  removed: (path) => rm(path),
};
const ofEntries: Readonly<Record<string, Change>> = {
  "another mode": async (path) => chmod(path, ((await lstat(path)).mode & 0o777) ^ 0o020),
  "another owner": async (path) => chown(path, (await lstat(path)).uid + 1, (await lstat(path)).gid),
  "another group": async (path) => chown(path, (await lstat(path)).uid, (await lstat(path)).gid + 1),
  "another name": (path) => rename(path, `${path}~`),
  "a file beside": (path) => writeFile(`${path}.more`, ""),
  "a directory beside": (path) => mkdir(`${path}.d`),
};

/**
 * Falsifications of a tree.
 *
 * @param kept a copy of the tree, from which it is made anew afterwards
 */
export const falseTrees = async (root: string, kept: string): Promise<fc.Arbitrary<Falsification>> => {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const placeOf = (entry: (typeof entries)[number]) => relative(root, join(entry.parentPath, entry.name));
  const files = entries.filter((entry) => entry.isFile()).map(placeOf);
  const kinds = fc.oneof(
    fc.tuple(fc.constantFrom(...Object.entries(ofFiles)), fc.constantFrom(...files)),
    fc.tuple(fc.constantFrom(...Object.entries(ofEntries)), fc.constantFrom(...entries.map(placeOf))),
  );
  return kinds.map(([[kind, change], place]) => ({
    what: `${kind}: ${place}`,
    change: async () => {
      await change(join(root, place));
      return true;
    },
    back: async () => {
      await rm(root, { recursive: true });
      spawnSync("cp", ["-a", kept, root]);
    },
  }));
};
