import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import type { SourceTable } from "@openemr-ops/database/describeSource";
import { writeExactRows } from "@openemr-ops/database/exactRows";
import { sqlScanner } from "@openemr-ops/database/sqlScanner";
import fc from "fast-check";
import { expect, it } from "vitest";

type Cell = Buffer | null;

const table: SourceTable = {
  name: "a`b",
  engine: "InnoDB",
  sequence: false,
  keyed: true,
  primaryKey: ["n", "t`"],
  exactColumns: [
    { name: "n", kind: "number", sentAsStored: false },
    { name: "f", kind: "float", sentAsStored: false },
    { name: "b", kind: "binary", sentAsStored: true },
    { name: "t`", kind: "text", sentAsStored: true },
  ],
};

/** What a server says of a row beside it: which values are NULL, and how many bytes those have that come as stored. */
const withFigures = (row: readonly Cell[]): readonly Cell[] => {
  const nulls = row.map((value) => (value === null ? "1" : "0")).join("");
  const stored = row.slice(2).reduce((sum, value) => sum + (value?.length ?? 0), 0);
  return [...row, Buffer.from(nulls), Buffer.from(`${stored}`)];
};

interface Given {
  /** What the server says of the row that it has; the row that comes is `rows`. */
  readonly has?: readonly (readonly Cell[])[];
}

/** A connection that gives these rows, and remembers what it was asked. */
const giving = (rows: readonly (readonly Cell[])[], { has = rows }: Given = {}) => {
  const asked: string[] = [];
  const connection: Pick<DatabaseConnection, "stream" | "rows"> = {
    stream: async function* (sql) {
      asked.push(sql);
      for (const [index, row] of rows.entries()) {
        const figures = withFigures(has[index] ?? row);
        yield [...row, ...figures.slice(-2)];
      }
    },
    rows: async (sql) => {
      asked.push(sql);
      return [{ n: `${has.length}` }];
    },
  };
  return { asked, connection: connection as DatabaseConnection };
};

const written = async (rows: readonly (readonly Cell[])[], given: Given = {}) => {
  const { asked, connection } = giving(rows, given);
  const chunks: Buffer[] = [];
  await writeExactRows(connection, table, async (chunk) => void chunks.push(Buffer.from(chunk)));
  return { asked, chunks, sql: Buffer.concat(chunks) };
};

const heading = "--\n-- Dumping data for table `a``b`\n--\n\n";
const cells = (...values: readonly (string | null)[]): readonly Cell[] =>
  values.map((value) => (value === null ? null : Buffer.from(value)));

it("asks for FLOAT widened, for all else as it is stored, and in the order of the key; and for the server's own figures", async () => {
  const { asked } = await written([]);

  const nulls = "CONCAT(`n` IS NULL,`f` IS NULL,`b` IS NULL,`t``` IS NULL)";
  const bytes = "COALESCE(OCTET_LENGTH(`b`),0)+COALESCE(OCTET_LENGTH(`t```),0)";
  expect(asked).toEqual([
    `SELECT \`n\`,\`f\`+0e0,\`b\`,\`t\`\`\`,${nulls},${bytes} FROM \`a\`\`b\`  USE INDEX FOR GROUP BY () ORDER BY \`n\`,\`t\`\`\``,
    "SELECT COUNT(*) AS n FROM `a``b`  USE INDEX FOR GROUP BY ()",
  ]);
});

it.each([
  { what: "NULL for a value", rows: [cells("1", "1", null, "x")], has: [cells("1", "1", "long", "x")] },
  { what: "NULL for a FLOAT", rows: [cells("1", null, "b", "x")], has: [cells("1", "1", "b", "x")] },
  { what: "a value for NULL", rows: [cells("1", "1", "", "x")], has: [cells("1", "1", null, "x")] },
  { what: "a value that is cut", rows: [cells("1", "1", "lon", "x")], has: [cells("1", "1", "long", "x")] },
  { what: "fewer rows", rows: [cells("1", "1", "", "")], has: [cells("1", "1", "", ""), cells("2", "1", "", "")] },
])("ends with an error that names the table where the server gives $what", async ({ rows, has }) => {
  await expect(written(rows, { has })).rejects.toThrow(DatabaseDumpFailedError);
  await expect(written(rows, { has })).rejects.toThrow(/^table a`b gave /);
});

it("hands on a long value in pieces, none of which is long", async () => {
  const long = Buffer.alloc(3_000_001, "é'\\\n");
  const { chunks, sql } = await written([[Buffer.from("1"), null, long, long]]);

  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  const text = long.toString().replace(/['\\]/g, "\\$&").replaceAll("\n", "\\n");
  expect(sql.toString().endsWith(`\n(1,NULL,0x${long.toString("hex").toUpperCase()},'${text}');\n`)).toBe(true);
});

it("writes no statement for an empty table, and says which one it was", async () => {
  expect((await written([])).sql.toString()).toBe(heading);
});

it("writes a row a line, each value in a form that comes back as it was", async () => {
  const { sql } = await written([
    cells("-1", "98.5999984741211", "\0\x7f", 'it\'s; \\ "x"\n\r\0\x1a(é),'),
    cells("2", null, "", ""),
    cells("0000", "1.401298464324817e-45", null, null),
  ]);

  expect(sql.toString()).toBe(
    `${heading}INSERT INTO \`a\`\`b\` (\`n\`,\`f\`,\`b\`,\`t\`\`\`) VALUES
(-1,98.5999984741211,0x007F,'it\\'s; \\\\ \\"x\\"\\n\\r\\0\\Z(é),'),
(2,NULL,'',''),
(0000,1.401298464324817e-45,NULL,NULL);
`,
  );
});

it("ends a statement after 16 KiB, and the digest does not notice", async () => {
  const long = "x".repeat(6_000);
  const rows = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => cells(`${n}`, "1", "", long));
  const { chunks, sql } = await written(rows);
  const scanner = sqlScanner(() => true);
  await scanner.push(sql);
  const { largestStatement, tables } = scanner.finish();

  expect(chunks.filter((chunk) => chunk.toString().startsWith("INSERT INTO")).length).toBe(3);
  expect(largestStatement).toBeLessThan(24_000);
  expect(tables[0]?.rows).toBe(9);
});

it("keeps every row on one line, so that the scanner counts what was written", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.bigInt().map(String),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
          fc.string({ unit: "binary" }),
          fc.option(fc.string({ unit: "binary" })),
        ),
      ),
      async (rows) => {
        const { sql } = await written(rows.map((row) => cells(...row)));
        const scanner = sqlScanner(() => true);
        await scanner.push(sql);

        expect(scanner.rows()).toBe(rows.length);
        expect(sql.toString("latin1").split("\n").length).toBe(5 + (rows.length > 0 ? rows.length + 1 : 0));
      },
    ),
  ));

it("refuses a row of another width, for the table was changed meanwhile", async () => {
  await expect(written([cells("1", "2", "3")])).rejects.toThrow(DatabaseDumpFailedError);
});
