import { type DumpPart, partReader } from "@openemr-ops/database/dumpPart";
import { literalsAt, literalValue } from "@openemr-ops/database/rowValues";
import { endMark, sectionMark, sqlScanner } from "@openemr-ops/database/sqlScanner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** As mysql_real_escape_string writes it. */
const escapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\x1a": "\\Z",
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
};
const quoted = (text: string): string => `'${[...text].map((letter) => escapes[letter] ?? letter).join("")}'`;

const value = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => ({ literal: quoted(text), text: text as string | null })),
  fc.constantFrom("',(12);", "\\'", "''", "\\\\", "12").map((text) => ({ literal: quoted(text), text })),
  fc.integer().map((number) => ({ literal: `${number}`, text: `${number}` })),
  fc.constant({ literal: "NULL", text: null }),
  fc.constant({ literal: "1.5e-7", text: "1.5e-7" }),
  fc.constant({ literal: "0x4142", text: "AB" }),
);

it("values are read out of a row as they were written into it", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), fc.nat(5), fc.nat(5), (values, first, second) => {
      const row = Buffer.from(`(${values.map(({ literal }) => literal).join(",")}),`);
      const found = literalsAt(row, [first, second, -1]).map((literal) => literal && literalValue(literal));
      expect(found).toEqual([values[first]?.text, values[second]?.text, undefined]);
    }),
  );
  expect(literalValue(Buffer.from("'it''s'"))).toBe("it's");
});

const heading = (what: string, table: string) => `\n--\n-- ${what} \`${table}\`\n--\n\n`;
const create = (table: string, columns: readonly string[]) =>
  `${heading("Table structure for table", table)}DROP TABLE IF EXISTS \`${table}\`;\nCREATE TABLE \`${table}\` (\n${columns.map((name) => `  \`${name}\` int(11) NOT NULL`).join(",\n")}\n) ENGINE=InnoDB;\n`;
const insert = (table: string, head: string, rows: readonly string[]) =>
  `${heading("Dumping data for table", table)}INSERT INTO \`${table}\`${head}${rows.map((row) => `(${row})`).join(",\n")};\n`;

const stream = Buffer.from(
  [
    "-- MariaDB dump\n",
    create("exact", ["id", "pid"]),
    create("lists", ["id", "PID", "x"]),
    insert("lists", " VALUES\n", ["1,12,'(1,13)'", "2,13,'12'", "3,12,NULL"]),
    insert("lists", " (`x`, `PID`) VALUES ", ["'12',13", "'a',12"]),
    create("none", ["id", "pid"]),
    insert("none", " VALUES\n", ["12,1"]),
    create("whole", ["id"]),
    insert("whole", " VALUES\n", ["1", "2"]),
    "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n",
    `${sectionMark}exact rows\n`,
    insert("exact", " (`id`,`pid`) VALUES\n", ["1,12", "2,13"]),
    `${sectionMark}views\nCREATE VIEW v AS SELECT 1;\n`,
    endMark,
  ].join(""),
);
const tables = ["exact", "lists", "none", "whole"].map((name) => ({ name, keyed: true, exact: name === "exact" }));

const read = async (part: DumpPart, cuts: readonly number[]) => {
  const events: string[] = [];
  const reader = partReader(part, tables);
  const inner = {
    structure: async (table: string, sql: string) => void events.push(`${sql.slice(0, 4)} ${table}`),
    rows: async (table: string, chunk: Buffer, ends: boolean) => {
      events.push(`${table}${ends ? "." : ""} ${chunk.toString()}`);
    },
    tableEnds: async (table: string) => void events.push(`end ${table}`),
    program: async () => void events.push("program"),
  };
  const scanner = sqlScanner(() => true, reader.handler(inner));
  const places = [0, ...cuts.map((cut) => cut % stream.length).sort((a, b) => a - b), stream.length];
  let enoughAt: number | undefined;
  for (const [index, place] of places.entries()) {
    await scanner.push(stream.subarray(places[index - 1] ?? 0, place));
    if (reader.enough()) enoughAt ??= place;
  }
  return { events, taken: reader.taken(), enoughAt };
};
const ofPatient = (select: readonly string[]): DumpPart => ({
  select: (table, columns) =>
    select.includes(table) && columns.includes("pid") ? { anyOf: new Map([["pid", new Set(["12"])]]) } : undefined,
});

describe("a part of a dump", () => {
  it("holds the wanted rows of the wanted tables, wherever the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 12 }), async (cuts) => {
        const { events, taken } = await read(ofPatient(["exact", "lists", "none"]), cuts);
        expect(events).toEqual([
          "DROP lists",
          "CREA lists",
          "lists INSERT INTO `lists` VALUES\n",
          "lists. (1,12,'(1,13)'),\n(3,12,NULL);\n",
          "lists INSERT INTO `lists` (`x`, `PID`) VALUES\n",
          "lists. ('a',12);\n",
          "end lists",
          "DROP exact",
          "CREA exact",
          "end exact", // its first part, without rows
          "exact INSERT INTO `exact` (`id`,`pid`) VALUES\n",
          "exact. (1,12);\n",
          "end exact",
        ]);
        expect(taken.map(({ name, some }) => [name, some?.rows])).toEqual([
          ["exact", 1],
          ["lists", 3],
        ]);
      }),
    );
  });

  it("is over behind its last table, and no earlier", async () => {
    const everyByte = Array.from({ length: stream.length }, (_, index) => index);
    const only = async (...names: string[]) => {
      const part: DumpPart = { only: new Set(names), select: (name) => (names.includes(name) ? "all" : undefined) };
      const { enoughAt = 0, taken } = await read(part, everyByte);
      expect(taken.map(({ name }) => name).sort()).toEqual(names.sort());
      return stream.toString("latin1", 0, enoughAt);
    };
    expect(await only("lists")).toMatch(/'a',12\);\n\n--\n-- Table structure for table `none`\n$/);
    expect(await only("exact", "lists")).toMatch(/2,13\);\n-- openemr-ops section: views\n$/);
  });
});
