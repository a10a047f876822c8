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
    { name: "n", kind: "number" },
    { name: "f", kind: "float" },
    { name: "b", kind: "binary" },
    { name: "t`", kind: "text" },
  ],
};

/** A connection that gives these rows, and remembers what it was asked. */
const giving = (rows: readonly (readonly Cell[])[]) => {
  const asked: string[] = [];
  const connection: Pick<DatabaseConnection, "stream"> = {
    stream: async function* (sql) {
      asked.push(sql);
      yield* rows;
    },
  };
  return { asked, connection: connection as DatabaseConnection };
};

const written = async (rows: readonly (readonly Cell[])[], of: SourceTable = table) => {
  const { asked, connection } = giving(rows);
  const chunks: Buffer[] = [];
  await writeExactRows(connection, of, async (chunk) => void chunks.push(Buffer.from(chunk)));
  return { asked, chunks, sql: Buffer.concat(chunks) };
};

const heading = "--\n-- Dumping data for table `a``b`\n--\n\n";
const cells = (...values: readonly (string | null)[]): readonly Cell[] =>
  values.map((value) => (value === null ? null : Buffer.from(value)));

it("asks for FLOAT widened, for bytes in hexadecimal digits, and in the order of the key", async () => {
  const { asked } = await written([]);

  expect(asked).toEqual([
    "SELECT `n`,`f`+0e0,HEX(`b`),`t``` FROM `a``b`  USE INDEX FOR GROUP BY () ORDER BY `n`,`t```",
  ]);
});

it("writes no statement for an empty table, and says which one it was", async () => {
  expect((await written([])).sql.toString()).toBe(heading);
});

it("writes a row a line, each value in a form that comes back as it was", async () => {
  const { sql } = await written([
    cells("-1", "98.5999984741211", "00FF", 'it\'s; \\ "x"\n\r\0\x1a(é),'),
    cells("2", null, "", ""),
    cells("0000", "1.401298464324817e-45", null, null),
  ]);

  expect(sql.toString()).toBe(
    `${heading}INSERT INTO \`a\`\`b\` (\`n\`,\`f\`,\`b\`,\`t\`\`\`) VALUES
(-1,98.5999984741211,0x00FF,'it\\'s; \\\\ \\"x\\"\\n\\r\\0\\Z(é),'),
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
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("hex")),
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
