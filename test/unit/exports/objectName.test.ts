import { checkedKey } from "@openemr-ops/core/objectKeys";
import { catalogueTables, createTable } from "@openemr-ops/exports/database/athena";
import { directoryOf } from "@openemr-ops/exports/database/objectName";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("the directory of a table", () => {
  it.each([
    ["openemr", "patient_data", "openemr.patient_data"],
    ["openemr", "_old", "openemr._old"],
    ["_hidden", "a/b", "!5fhidden.a!2fb"],
    ["a.b", "c d", "a!2eb.c!20d"],
    ["é", "x=1", "!c3!a9.x!3d1"],
  ])("of %s and %s is %s", (schema, table, expected) => {
    expect(directoryOf(schema, table, 0)).toBe(expected);
  });

  it("is a key that every store takes, and another one for each table", () => {
    const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }).map((name) => name.toWellFormed());
    fc.assert(
      fc.property(names, fc.uniqueArray(names, { minLength: 2, maxLength: 5 }), (schema, tables) => {
        const directories = tables.map((table, index) => directoryOf(schema, table, index));
        for (const directory of directories) {
          expect(checkedKey(`database/x/${directory}/part-00000.parquet`)).toContain(directory);
          expect(directory).toMatch(/^[A-Za-z0-9!-][A-Za-z0-9_!.-]*$/);
        }
        expect(new Set(directories).size).toBe(tables.length);
      }),
    );
  });
});

describe("a table in Athena", () => {
  const column = (name: string) => ({ name, type: { physical: "INT32" } as const });

  it("has its own names where they are simple, and is found by place where one is not", () => {
    const [plain, odd] = catalogueTables([
      { name: "Groups", columns: [column("Id"), column("range")] },
      { name: "groups", columns: [column("a b"), column("a,b"), column("24HR")] },
    ]);

    expect(plain).toEqual({
      name: "groups",
      columns: [
        { name: "id", type: "int" },
        { name: "range", type: "int" },
      ],
      byPlace: false,
    });
    expect(odd).toMatchObject({ name: "groups_2", byPlace: true });
    expect(odd?.columns.map(({ name }) => name)).toEqual(["a_b", "a_b_2", "24hr"]);
    expect(odd && createTable(odd, "s3://b/it's")).toContain("LOCATION 's3://b/it\\'s/'");
    expect(odd && createTable(odd, "s3://b/p")).toContain("'parquet.column.index.access'='true'");
  });
});
