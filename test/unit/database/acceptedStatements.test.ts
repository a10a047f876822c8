import { IntegrityError } from "@openemr-ops/core/errors";
import { rowsReader } from "@openemr-ops/database/acceptedRows";
import { structureStatement } from "@openemr-ops/database/acceptedStructure";
import { programStatements } from "@openemr-ops/database/programStatements";
import { sqlScanner } from "@openemr-ops/database/sqlScanner";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** What the reader of rows is to take, said another way. */
const value = /(?:NULL|0x[0-9a-fA-F]+|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|'(?:[^\n'\\]|\\[^\n]|'')*')/.source;
const row = `\\(${value}(?:,${value})*\\)`;
const statement = new RegExp(`^(?:${row}(?:,\\n${row})*;\\n)+$`, "s");

const reads = (pieces: readonly Buffer[]): boolean => {
  const reader = rowsReader();
  return pieces.every((piece) => reader.accepts(piece)) && reader.ended();
};
const piecesOf = (bytes: Buffer, cuts: readonly number[]): readonly Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
};
const literal = fc.oneof(
  fc.constantFrom("NULL", "0", "-0", "1.5", "-1e-7", "1.7976931348623157e308", "0xDEADBEEF", "''", "'\\''", "''''"),
  fc
    .string({ maxLength: 12 })
    .map((text) => `'${text.replace(/[\\'\n]/g, (letter) => (letter === "\n" ? "\\n" : `\\${letter}`))}'`),
  fc.nat(300).map((length) => `'${"long text ".repeat(length)}'`),
);
const rows = fc
  .array(fc.array(literal, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 })
  .map((all) => `${all.map((values) => `(${values.join(",")})`).join(",\n")};\n`);
const cuts = fc.array(fc.nat(), { maxLength: 20 });

describe("rows of a dump", () => {
  it("are taken wherever they are cut", () =>
    fc.assert(
      fc.property(rows, cuts, (text, places) => {
        expect(reads(piecesOf(Buffer.from(text), places))).toBe(true);
      }),
    ));

  it("are taken when nothing but literal values stands in them, and never else", () => {
    const near = fc.array(
      fc.constantFrom(..."(),;\n'\\-+.0019eExNULLabf ", "NULL", "''", "),\n(", ");\n", "0x", "SELECT", "(1,'a'),\n"),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(rows, fc.nat(), near, fc.nat(6), cuts, (text, at, put, less, places) => {
        const place = at % text.length;
        const changed = text.slice(0, place) + put.join("") + text.slice(place + less);
        expect(reads(piecesOf(Buffer.from(changed), places))).toBe(changed === "" || statement.test(changed));
      }),
      { numRuns: 3000 },
    );
  });
});

const definition = (options = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4", column = "") =>
  `CREATE TABLE \`t\` (\n  \`id\` int(11) NOT NULL${column},\n  PRIMARY KEY (\`id\`)\n) ${options};\n`;

describe("a statement of a table's part", () => {
  it.each([
    definition(),
    definition("ENGINE=Aria DEFAULT CHARSET=latin1 COLLATE=latin1_bin PAGE_CHECKSUM=1 TRANSACTIONAL=0 COMMENT='a;b'"),
    definition(
      "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_uca1400_ai_ci `PAGE_COMPRESSED`=1 `ENCRYPTED`=yes",
    ),
    definition(
      "ENGINE=InnoDB\n PARTITION BY RANGE (`id`)\n(PARTITION `p` VALUES LESS THAN (5) ENGINE = InnoDB,\n PARTITION `q` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)",
    ),
    definition("ENGINE=InnoDB\n/*!50100 PARTITION BY KEY (`id`)\nPARTITIONS 4 */"),
    definition(undefined, " COMMENT 'SELECT ''x'' FROM `y`.`z`; -- '"),
    definition(undefined, ",\n  `at` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()"),
    definition(
      undefined,
      ",\n  `v` varchar(9) /*M!100301 COMPRESSED*/ CHARACTER SET latin1 COLLATE latin1_bin DEFAULT 'a''b'",
    ),
    definition(undefined, ",\n  `v` int /*!80023 INVISIBLE */ GENERATED ALWAYS AS (concat(`id`,_utf8mb4'x')) VIRTUAL"),
    definition(undefined, ",\n  CONSTRAINT `c` CHECK (`id` like 'a%' and case when `id` then 1 else 0 end)"),
    "DROP TABLE IF EXISTS `t`;\n",
    "DROP SEQUENCE IF EXISTS `t`;\n",
    "CREATE SEQUENCE `t` start with -7 minvalue -9 maxvalue 9 increment by 3 cache 5 nocycle ENGINE=InnoDB;\n",
    "DO SETVAL(`t`, 22, 0);\n",
  ])("is made: %s", (sql) => expect(structureStatement(sql, "t")).toEqual({ does: "make" }));

  it.each([
    "/*!40101 SET @saved_cs_client     = @@character_set_client */;\n",
    "SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;\n",
    "SET AUTOCOMMIT=@OLD_AUTOCOMMIT;\n",
    "COMMIT;\n",
    "/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;\n",
    "/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n",
  ])("is left to the loading session: %s", (sql) => expect(structureStatement(sql, "t")).toEqual({ does: "session" }));

  it.each([
    definition("ENGINE=CONNECT"),
    definition("ENGINE=`CONNECT`"),
    definition("ENGINE=/*!99999 InnoDB DEFAULT CHARSET= */FEDERATED"),
    definition("ENGINE=/*M!110000 InnoDB COMMENT= */'FEDERATED'"),
    definition("ENGINE=InnoDB DATA DIRECTORY='/tmp'"),
    definition("ENGINE=InnoDB INDEX DIRECTORY='/tmp'"),
    definition("ENGINE=MyISAM UNION=(`u`)"),
    definition("ENGINE=InnoDB CONNECTION='x'"),
    definition("ENGINE=InnoDB AS SELECT 1"),
    definition("ENGINE=InnoDB VALUES (1)"),
    definition("ENGINE=InnoDB (SELECT 1)"),
    definition("ENGINE=InnoDB\n PARTITION BY KEY (`id`) (PARTITION `p` DATA DIRECTORY = '/tmp' ENGINE = InnoDB)"),
    definition("ENGINE=InnoDB; DELETE FROM u"),
    definition(undefined, " DEFAULT (sys_exec('x'))"),
    definition(undefined, " DEFAULT (_f(1))"),
    definition(undefined, " DEFAULT nextval(`other`.`s`)"),
    definition(undefined, " DEFAULT load_file('/etc/passwd')"),
    definition(undefined, " DEFAULT @@hostname"),
    definition(undefined, " CHECK ((SELECT 1))"),
    "CREATE TABLE `t` LIKE `u`;\n",
    "CREATE TABLE `t` (LIKE `u`);\n",
    "CREATE TABLE `other`.`t` (\n  `id` int\n);\n",
    "CREATE TABLE `u` (\n  `id` int\n);\n",
    "CREATE TEMPORARY TABLE `t` (\n  `id` int\n);\n",
    "CREATE OR REPLACE TABLE `t` (\n  `id` int\n);\n",
    "DROP TABLE `t`;\n",
    "DROP TABLE IF EXISTS `t`, `u`;\n",
    "SET GLOBAL sql_mode='';\n",
    "SET @@global.sql_mode='';\n",
    "SET sql_mode=(SELECT 1);\n",
    "SET @x=1;\n",
    "SET PASSWORD='x';\n",
    "DO SETVAL(`t`, 22, sleep(9));\n",
    "INSERT INTO `t` SELECT 1;\n",
    "CREATE TABLE `t` (\n  `id` int COMMENT 'open\n);\n",
  ])("is refused, and not quoted: %s", (sql) => {
    const read = structureStatement(sql, "t");
    expect(read).toHaveProperty("refused");
    expect(JSON.stringify(read)).not.toMatch(/SELECT|sys_exec|passwd|`/);
  });
});

it("a stream tells in which table and where it holds what is not taken", async () => {
  const scanner = sqlScanner(
    () => true,
    {},
    (message) => new IntegrityError(message),
  );
  const text = "-- Table structure for table `patients`\nDELETE FROM `patients` WHERE 'secret';\n";

  const pushed = scanner.push(Buffer.from(text));

  await expect(pushed).rejects.toThrow(/table patients, about byte \d+/);
  await expect(pushed).rejects.not.toThrow(/secret/);
});

describe("a section of programs", () => {
  const text = (...lines: readonly string[]) => `${lines.join("\n")}\n`;

  it("is cut into the statements to run, whatever stands in a body", () => {
    const body = "BEGIN\n-- ;; it's\n/* DELIMITER ;;\n*/ SET @a = 'x;;\\'y'; SET @b = \";;\"; END";
    const sql = text(
      "/*!50003 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */ ;",
      "/*!50003 DROP PROCEDURE IF EXISTS `p` */;",
      "DELIMITER ;;",
      `CREATE PROCEDURE \`p\`()\n${body}\n;;`,
      "DELIMITER ;",
    );

    expect(programStatements(sql, ["routines"])).toEqual([
      "/*!50003 SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO' */ ",
      "/*!50003 DROP PROCEDURE IF EXISTS `p` */",
      `CREATE PROCEDURE \`p\`()\n${body}\n`,
    ]);
  });

  it("is read with the quotes of the mode that it sets", () => {
    const sql = text(
      "SET @saved_sql_mode = @@sql_mode;",
      "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';",
      "DELIMITER ;;",
      'CREATE PROCEDURE "p"() SELECT \'\\\', "a;;" ;;',
      "DELIMITER ;",
      "SET sql_mode = @saved_sql_mode;",
      "DROP PROCEDURE IF EXISTS `q`;",
    );

    expect(programStatements(sql, ["routines"])).toHaveLength(5);
  });

  it.each([
    { what: "another kind", sql: "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO SET @a = 1;" },
    { what: "a table", sql: "CREATE TABLE `t` (`id` int);" },
    { what: "a definer", sql: "CREATE DEFINER=`a`@`b` PROCEDURE `p`() SELECT 1;" },
    { what: "a call", sql: "CALL p();" },
    { what: "a grant", sql: "GRANT ALL ON *.* TO a;" },
    { what: "a comment for newer servers", sql: "CREATE /*!99999 PROCEDURE `p`() */ USER a;" },
    { what: "an end that is missing", sql: "CREATE PROCEDURE `p`() SELECT 1" },
    { what: "a quote that does not end", sql: "CREATE PROCEDURE `p`() SELECT 'a;" },
    { what: "a character set that hides quotes", sql: "SET character_set_client = sjis;" },
    { what: "a client's command", sql: "\\! touch /tmp/x;" },
  ])("is refused with $what", ({ sql }) => {
    expect(() => programStatements(text(sql), ["routines"])).toThrow(IntegrityError);
  });
});
