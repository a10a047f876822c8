import { createHash } from "node:crypto";
import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import { hasControlCharacter } from "@openemr-ops/database/identifiers";
import {
  endMark,
  type ProgramSection,
  programSections,
  type StreamDigest,
  sectionMark,
  sqlScanner,
  type TableDigest,
} from "@openemr-ops/database/sqlScanner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** A table of a dump stream: `rows` are what stands between the parentheses. */
interface Table {
  readonly name: string;
  readonly keyed: boolean;
  /** Its columns are named, as for a table with an INVISIBLE one: the first row then is on the line of INSERT. */
  readonly named?: boolean;
  readonly statements: readonly (readonly string[])[];
}

interface Dump {
  readonly tables: readonly Table[];
  /** Tables whose rows come behind the others, as those with FLOAT columns do. */
  readonly later: readonly Table[];
  readonly programs: Partial<Record<ProgramSection, string>>;
}

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

const structureOf = ({ name }: Pick<Table, "name">, autoIncrement = ""): string =>
  `DROP TABLE IF EXISTS ${quoted(name)};
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE ${quoted(name)} (
  \`id\` int(11) NOT NULL COMMENT 'a;b -- (c)'
) ENGINE=InnoDB${autoIncrement} DEFAULT CHARSET=utf8mb4;
`;

const insertsOf = ({ name, named = false, statements }: Table): string =>
  statements
    .filter((rows) => rows.length > 0)
    .map((rows) => {
      const head = `INSERT INTO ${quoted(name)}${named ? " (`id`, `a``) VALUES (`, `é`) VALUES " : " VALUES\n"}`;
      return `${head}${rows.map((row) => `(${row})`).join(",\n")};\n`;
    })
    .join("");

const headingOf = (what: string, name: string): string => `\n--\n-- ${what} ${quoted(name)}\n--\n\n`;

const streamOf = ({ tables, later, programs }: Dump, { autoIncrement = "" } = {}): Buffer =>
  Buffer.from(
    [
      "-- MariaDB dump\n/*!40101 SET NAMES utf8mb4 */;\n",
      ...tables.map((table) =>
        [
          headingOf("Table structure for table", table.name),
          structureOf(table, autoIncrement),
          headingOf("Dumping data for table", table.name),
          `/*!40000 ALTER TABLE ${quoted(table.name)} DISABLE KEYS */;\n`,
          insertsOf(table),
          `/*!40000 ALTER TABLE ${quoted(table.name)} ENABLE KEYS */;\n`,
        ].join(""),
      ),
      ...later.map((table) => headingOf("Table structure for table", table.name) + structureOf(table)),
      "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n-- Dump completed\n",
      ...(later.length > 0 ? [`${sectionMark}exact rows\n/*!40101 SET NAMES utf8mb4 */;\n\n`] : []),
      ...later.map((table) => headingOf("Dumping data for table", table.name) + insertsOf(table)),
      ...programSections.flatMap((section) =>
        programs[section] === undefined ? [] : [`${sectionMark}${section}\n${programs[section]}\n`],
      ),
      endMark,
    ].join(""),
  );

/** What a scanner said about a stream that came in these pieces; bytes as Latin-1. */
interface Heard {
  readonly digest: StreamDigest;
  readonly structure: ReadonlyMap<string, string>;
  readonly rows: ReadonlyMap<string, string>;
  /** How often a statement of a table ended. */
  readonly statements: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, string>;
  readonly ended: readonly string[];
}

const piecesOf = (stream: Buffer, cuts: readonly number[]): readonly Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => stream.subarray(start, places[index] ?? stream.length));
};

const listen = async (pieces: readonly Buffer[], keyed: (table: string) => boolean): Promise<Heard> => {
  const structure = new Map<string, string>();
  const rows = new Map<string, string>();
  const statements = new Map<string, number>();
  const programs = new Map<string, string>();
  const ended: string[] = [];
  const append = (texts: Map<string, string>, name: string, chunk: Buffer) =>
    texts.set(name, (texts.get(name) ?? "") + chunk.toString("latin1"));
  const scanner = sqlScanner(keyed, {
    structure: async (table, sql) => void append(structure, table, Buffer.from(sql)),
    rows: async (table, chunk, statementEnds) => {
      append(rows, table, chunk);
      if (statementEnds) statements.set(table, (statements.get(table) ?? 0) + 1);
    },
    tableEnds: async (table) => void ended.push(table),
    program: async (section, chunk) => void append(programs, section, chunk),
  });
  for (const piece of pieces) await scanner.push(Buffer.from(piece)); // a copy: slices are only valid during the call
  return { digest: scanner.finish(), structure, rows, statements, programs, ended };
};

const keysOf = (dump: Dump) => {
  const keyed = new Map([...dump.tables, ...dump.later].map((table) => [table.name, table.keyed]));
  return (name: string) => keyed.get(name) ?? false;
};
const hear = (dump: Dump, cuts: readonly number[] = []): Promise<Heard> =>
  listen(piecesOf(streamOf(dump), cuts), keysOf(dump));

/** The digest of one table whose rows come in these statements. */
const digestOf = async (
  keyed: boolean,
  statements: Table["statements"],
  named = false,
): Promise<TableDigest | undefined> =>
  (await hear({ tables: [{ name: "t", keyed, named, statements }], later: [], programs: {} })).digest.tables[0];

/** A value as a dump program escapes it, rich in what a careless reader of lines takes for something else. */
const value = fc.oneof(
  fc.integer().map(String),
  fc.constant("NULL"),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ";",
          "),",
          ");",
          "(",
          ",",
          "''",
          "\\'",
          "\\\\",
          "\\n",
          "\\n-- ",
          "`",
          "-- ",
          "INSERT INTO `x` VALUES",
        ),
        fc.constantFrom(
          "-- Table structure for table `x`",
          "/*",
          "*/",
          "é",
          "🩺",
          "漢",
          '"',
          sectionMark,
          endMark.trim(),
        ),
        fc.string({ unit: "grapheme", maxLength: 5 }).map((text) => text.replace(/[\\'\n\r\0]/g, "")),
      ),
      { maxLength: 6 },
    )
    .map((parts) => `'${parts.join("")}'`),
);
const row = fc.array(value, { minLength: 1, maxLength: 4 }).map((values) => values.join(","));
const statements = fc.array(fc.array(row, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
const tableName = fc.oneof(
  fc.constantFrom("groups", "24HR", "Mail_Order_ US_Territories", "a`b", "Table structure for table `x`", "ünï", "$"),
  fc.string({ minLength: 1, maxLength: 8 }).filter((name) => !hasControlCharacter(name)),
);
const tables = fc.uniqueArray(fc.record({ name: tableName, keyed: fc.boolean(), named: fc.boolean(), statements }), {
  selector: ({ name }) => name,
  maxLength: 5,
});
const programText = fc
  .array(
    fc.constantFrom(
      "DELIMITER ;;",
      "CREATE VIEW `v`",
      "(",
      "(1);",
      "-- comment",
      "",
      "INSERT INTO `t` VALUES",
      "end ;;",
      "é",
    ),
  )
  .map((lines) => lines.join("\n"));
const dump: fc.Arbitrary<Dump> = fc
  .record({
    tables,
    laterFrom: fc.nat(5),
    programs: fc.record(
      { routines: programText, triggers: programText, views: programText, events: programText },
      { requiredKeys: [] },
    ),
  })
  .map(({ tables: all, laterFrom, programs }) => ({
    tables: all.slice(0, laterFrom),
    later: all.slice(laterFrom),
    programs,
  }));
const cuts = fc.array(fc.nat(), { maxLength: 40 });

describe("a stream in pieces", () => {
  it("says the same wherever it is cut", () =>
    fc.assert(
      fc.asyncProperty(dump, cuts, async (made, places) => {
        expect(await hear(made, places)).toEqual(await hear(made));
      }),
    ));

  it("says the same byte by byte", () =>
    fc.assert(
      fc.asyncProperty(dump, async (made) => {
        const stream = streamOf(made);
        expect(await hear(made, [...stream.keys()])).toEqual(await hear(made));
      }),
      { numRuns: 30 },
    ));

  it("hands on each byte of rows and programs, and every structure", () =>
    fc.assert(
      fc.asyncProperty(dump, cuts, async (made, places) => {
        const heard = await hear(made, places);

        for (const table of [...made.tables, ...made.later]) {
          const sql = insertsOf(table);
          expect(heard.rows.get(table.name) ?? "").toBe(Buffer.from(sql).toString("latin1"));
          expect(heard.structure.get(table.name)).toContain(Buffer.from(structureOf(table)).toString("latin1"));
          expect(heard.statements.get(table.name) ?? 0).toBe(table.statements.filter((rows) => rows.length > 0).length);
        }
        for (const section of programSections) {
          const text = made.programs[section];
          expect(heard.programs.get(section)).toBe(
            text === undefined ? undefined : Buffer.from(`${text}\n`).toString("latin1"),
          );
        }
        expect(heard.digest.byteLength).toBe(streamOf(made).length);
        expect(heard.digest.complete).toBe(true);
      }),
    ));

  it("counts rows and the longest statement as they were written", () =>
    fc.assert(
      fc.asyncProperty(dump, cuts, async (made, places) => {
        const { digest } = await hear(made, places);
        const all = [...made.tables, ...made.later];

        expect(digest.tables.map(({ name, rows }) => ({ name, rows }))).toEqual(
          all.map(({ name, statements: written }) => ({ name, rows: written.flat().length })),
        );
        const lengths = all.flatMap((table) =>
          table.statements.map((rows) => Buffer.byteLength(insertsOf({ ...table, statements: [rows] }))),
        );
        expect(digest.largestStatement).toBe(Math.max(0, ...lengths));
      }),
    ));

  it("tells a table's end once for each time that its part ends", () =>
    fc.assert(
      fc.asyncProperty(dump, cuts, async (made, places) => {
        const { ended } = await hear(made, places);

        expect(ended).toEqual([...made.tables, ...made.later, ...made.later].map(({ name }) => name));
      }),
    ));
});

describe("the digest of a table", () => {
  const anyRows = fc.array(row, { minLength: 1, maxLength: 8 });

  it("does not depend on how rows are put into statements, nor on whether these name their columns", () =>
    fc.assert(
      fc.asyncProperty(fc.boolean(), fc.boolean(), anyRows, fc.array(fc.nat(7)), async (keyed, named, rows, ends) => {
        const batches: string[][] = [[]];
        rows.forEach((text, index) => {
          batches.at(-1)?.push(text);
          if (ends.includes(index)) batches.push([]);
        });
        const other = await digestOf(keyed, batches, named);
        const whole = await digestOf(keyed, [rows]);

        expect(other).toMatchObject({ rows: rows.length, byteLength: whole?.byteLength, sha256: whole?.sha256 });
      }),
    ));

  it("heeds the order of rows with a primary key", () =>
    fc.assert(
      fc.asyncProperty(fc.uniqueArray(row, { minLength: 2, maxLength: 8 }), async (rows) => {
        const [first = "", second = "", ...others] = rows;
        const straight = await digestOf(true, [rows]);
        const swapped = await digestOf(true, [[second, first, ...others]]);

        expect(swapped?.sha256).not.toBe(straight?.sha256);
      }),
    ));

  it("does not heed the order of rows without a primary key", () =>
    fc.assert(
      fc.asyncProperty(
        anyRows.chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }))),
        async ([rows, shuffled]) => {
          expect((await digestOf(false, [shuffled]))?.sha256).toBe((await digestOf(false, [rows]))?.sha256);
        },
      ),
    ));

  it.each([
    { keyed: true, named: false },
    { keyed: false, named: false },
    { keyed: true, named: true },
    { keyed: false, named: true },
  ])(
    "notices a lost, a doubled and a changed row (primary key: $keyed, columns are named: $named)",
    ({ keyed, named }) =>
      fc.assert(
        fc.asyncProperty(anyRows, fc.nat(), row, async (rows, place, other) => {
          const at = place % rows.length;
          const sha256Of = async (given: readonly string[]) => (await digestOf(keyed, [given], named))?.sha256;
          const whole = await sha256Of(rows);
          const without = await sha256Of(rows.toSpliced(at, 1));
          const twice = await sha256Of(rows.toSpliced(at, 0, rows[at] ?? ""));
          const changed = await sha256Of(rows.with(at, `${rows[at]},${other}`));

          expect(new Set([whole, without, twice, changed]).size).toBe(4);
        }),
      ),
  );

  it("has, for manifests of earlier releases, the figures without the rows on a line with INSERT", () =>
    fc.assert(
      fc.asyncProperty(fc.boolean(), statements, async (keyed, written) => {
        const made = await hear({
          tables: [{ name: "t", keyed, named: true, statements: written }],
          later: [],
          programs: {},
        });
        const { rows, byteLength, sha256 } = (await digestOf(keyed, [written.flatMap((rows) => rows.slice(1))])) ?? {};

        const first = written.some((rows) => rows.length > 0);
        expect(made.digest.withoutFirstRows.get("t")).toEqual(first ? { rows, byteLength, sha256 } : undefined);
      }),
    ));

  it("is SHA-256 over rows in order, each with a comma and a newline behind it", async () => {
    const expected = createHash("sha256").update("(1,'a'),\n(2,';\\n'),\n").digest("hex");

    expect((await digestOf(true, [["1,'a'"], ["2,';\\n'"]]))?.sha256).toBe(expected);
  });

  it("tells another CREATE TABLE, but not another next number", async () => {
    const made: Dump = { tables: [{ name: "t", keyed: true, statements: [] }], later: [], programs: {} };
    const numbered = await listen([streamOf(made, { autoIncrement: " AUTO_INCREMENT=77" })], keysOf(made));
    const wider = Buffer.from(streamOf(made).toString().replace("int(11)", "int(12)"));

    expect(numbered.digest.tables).toEqual((await hear(made)).digest.tables);
    expect((await listen([wider], keysOf(made))).digest.tables[0]?.structureSha256).not.toBe(
      numbered.digest.tables[0]?.structureSha256,
    );
  });
});

it("tells a stream whose end is missing, wherever it was cut", () =>
  fc.assert(
    fc.asyncProperty(dump, fc.nat(), async (made, place) => {
      const stream = streamOf(made);
      const cut = stream.subarray(0, place % stream.length);

      const outcome = await listen([cut], keysOf(made));

      expect(outcome.digest.complete).toBe(false);
    }),
  ));

it("does not take an end mark within a value or a program's line for the end", async () => {
  const made: Dump = {
    tables: [{ name: "t", keyed: true, statements: [[`'${endMark.trim()}'`]] }],
    later: [],
    programs: { routines: `x ${endMark.trim()}` },
  };
  const stream = streamOf(made);

  expect((await listen([stream.subarray(0, -endMark.length)], keysOf(made))).digest.complete).toBe(false);
});

it("keeps bytes of programs that are no UTF-8, for a routine keeps the character set it was written in", async () => {
  const text = Buffer.from("CREATE PROCEDURE p() SELECT 'caf\xe9';\n", "latin1");
  const stream = Buffer.concat([Buffer.from(`${sectionMark}routines\n`), text, Buffer.from(endMark)]);

  const heard = await listen([stream.subarray(0, 40), stream.subarray(40)], () => false);

  expect(heard.programs.get("routines")).toBe(text.toString("latin1"));
  expect(heard.digest.programs).toEqual([
    { section: "routines", byteLength: text.length, sha256: createHash("sha256").update(text).digest("hex") },
  ]);
});

it("refuses a heading whose table cannot be read", async () => {
  const scanner = sqlScanner(() => true);

  await expect(scanner.push(Buffer.from("-- Table structure for table `half\n"))).rejects.toThrow(
    DatabaseDumpFailedError,
  );
});
