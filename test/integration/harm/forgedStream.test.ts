import { hash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { IntegrityError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type LoadSettings, loadDatabase } from "@openemr-ops/database/loadDatabase";
import type { DumpContext } from "@openemr-ops/dumps/context";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { sqlName } from "@openemr-ops/local/servers/databaseServer";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic, rowsOf } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { schemaImage } from "../../support/schemaImage.ts";

let clinic: Clinic;
let context: DumpContext;
let manifest: Manifest;
let sql: string;
/** Another schema that the restoring user may change. */
let witness: string;
let secret: string;
let before: unknown;

const witnessed = async () => [
  await schemaImage(clinic.schema, witness),
  await rowsOf(clinic.schema, clinic.schema.name),
  await schemaImage(clinic.schema, clinic.schema.name),
];

beforeAll(async () => {
  clinic = await aClinic();
  const { schema, directory, sitesPath } = clinic;
  witness = `${schema.name}_witness`;
  secret = join(directory, "secret");
  await writeFile(secret, "one line that is nobody's business\n");
  await schema.query(`CREATE DATABASE ${witness}`);
  await schema.query(`CREATE TABLE ${witness}.t (id int PRIMARY KEY)`);
  await schema.query(`INSERT INTO ${witness}.t VALUES (1), (2)`);
  await schema.query(`CREATE TABLE ${witness}.lines (line text)`);
  await mkdir(join(directory, "data"), { mode: 0o777 });
  context = await contextFor({ schema, sitesPath, directory, dumps: { format: "portable", compression: "zstd" } });
  ({ manifest } = await takeDump(context));
  await context.store.readDatabase(
    manifest.database.part,
    async (stream) => {
      sql = (await buffer(stream)).toString("latin1");
    },
    context,
  );
}, 60_000);
afterAll(() => clinic.remove());
beforeEach(async () => {
  before = await witnessed();
});

/** A context whose store gives this stream for the dump, as one does whose objects somebody replaced. */
const forgedBy = (stream: string): DumpContext => ({
  ...context,
  store: {
    ...context.store,
    readDatabase: (_part, consume) => consume(Readable.from([Buffer.from(stream, "latin1")])),
  },
});

const replaced = (text: string, by: string): string => {
  if (!sql.includes(text)) throw new Error(`the dump holds no ${text}`);
  return sql.replace(text, () => by);
};
const inStructure = (statement: string) =>
  replaced("CREATE TABLE `patients`", `${statement}\nCREATE TABLE \`patients\``);
const endOfRows = /(INSERT INTO `visits` VALUES\n[^;]*);\n/;
const behindRows = (text: string) => {
  if (!endOfRows.test(sql)) throw new Error("the dump holds no rows of visits");
  return sql.replace(endOfRows, (_, rows: string) => `${rows}${text}`);
};
const logTable = /(CREATE TABLE `log` \([^;]*?\n\)) ENGINE=InnoDB ([^;]*);/;
const instead = (by: (definitions: string, options: string) => string) => {
  if (!logTable.test(sql)) throw new Error("the dump holds no table log");
  return sql.replace(logTable, (_, definitions: string, options: string) => by(definitions, options));
};

interface Attack {
  readonly what: string;
  readonly stream: () => string;
}

const inTables: readonly Attack[] = [
  { what: "a statement in a table's structure", stream: () => inStructure(`DELETE FROM \`${witness}\`.t;`) },
  { what: "a comment that is code", stream: () => inStructure(`/*!50003 DELETE FROM \`${witness}\`.t */;`) },
  { what: "a comment that is code to MariaDB", stream: () => inStructure(`/*M!100100 DELETE FROM ${witness}.t */;`) },
  { what: "a statement behind rows, on their line", stream: () => behindRows(`; DELETE FROM ${witness}.t;\n`) },
  { what: "a statement behind rows, on the next line", stream: () => behindRows(`;\nDELETE FROM ${witness}.t;\n`) },
  {
    what: "rows of another schema",
    stream: () => behindRows(`;\nINSERT INTO \`${witness}\`.\`t\` VALUES\n(7);\n`),
  },
  { what: "a value that is a query", stream: () => behindRows(`,\n(77,1,(SELECT COUNT(*) FROM ${witness}.t));\n`) },
  { what: "rows that change others", stream: () => behindRows(" ON DUPLICATE KEY UPDATE note = (SELECT 1);\n") },
  {
    what: "another delimiter",
    stream: () => behindRows(`;\nDELIMITER //\nDELETE FROM ${witness}.t//\nDELIMITER ;\n`),
  },
  {
    what: "a file of this machine",
    stream: () => behindRows(`; LOAD DATA LOCAL INFILE '${secret}' INTO TABLE ${witness}.lines;\n`),
  },
  {
    what: "a file of this machine, in a table's structure",
    stream: () => inStructure(`LOAD DATA LOCAL INFILE '${secret}' INTO TABLE ${witness}.lines;`),
  },
  {
    what: "a table in another schema",
    stream: () =>
      instead((rows, options) => `${rows} ENGINE=InnoDB ${options};\nCREATE TABLE ${witness}.evil (id int);`),
  },
  {
    what: "a table of another schema taken away",
    stream: () => inStructure(`DROP TABLE IF EXISTS \`${witness}\`.\`t\`;`),
  },
  {
    what: "a table made from a query",
    stream: () => instead((rows) => `${rows} ENGINE=InnoDB SELECT 5 AS id, 'x' AS comments FROM ${witness}.t;`),
  },
  { what: "a table like another", stream: () => instead(() => `CREATE TABLE \`log\` LIKE ${witness}.t;`) },
  {
    what: "a table with a directory of its own",
    stream: () => instead((rows) => `${rows} ENGINE=MyISAM DATA DIRECTORY='${join(clinic.directory, "data")}';`),
  },
  {
    what: "a table that is merged from others",
    stream: () => instead((rows) => `${rows} ENGINE=MERGE UNION=(\`${witness}\`.\`t\`);`),
  },
  {
    what: "a table that lies on another server",
    stream: () => instead((rows) => `${rows} ENGINE=FEDERATED CONNECTION='mysql://a@b/c/d';`),
  },
  {
    what: "a key into another schema",
    stream: () =>
      instead(
        (rows, options) =>
          `${rows.slice(0, -2)},\n  CONSTRAINT \`held\` FOREIGN KEY (\`id\`) REFERENCES \`${witness}\`.\`t\` (\`id\`)\n) ENGINE=InnoDB ${options};`,
      ),
  },
  { what: "settings of the server", stream: () => inStructure("SET GLOBAL event_scheduler = 1;") },
  { what: "something behind its end mark", stream: () => `${sql}DELETE FROM ${witness}.t;\n` },
];

const amongPrograms = (section: string, text: string): string =>
  replaced(`-- openemr-ops section: ${section}\n`, `-- openemr-ops section: ${section}\n${text}`);
const inPrograms: readonly Attack[] = [
  { what: "a statement among the routines", stream: () => amongPrograms("routines", `DELETE FROM ${witness}.t;\n`) },
  {
    what: "a statement behind a routine",
    stream: () =>
      amongPrograms(
        "routines",
        `DELIMITER ;;\nCREATE PROCEDURE \`p\`()\nSELECT 1;;DELETE FROM ${witness}.t;;\nDELIMITER ;\n`,
      ),
  },
  {
    what: "a statement in a code comment",
    stream: () => amongPrograms("triggers", `/*!50003 DELETE FROM ${witness}.t */;\n`),
  },
  {
    what: "a view in another schema",
    stream: () => amongPrograms("views", `/*!50001 CREATE VIEW \`${witness}\`.\`v\` AS SELECT 1 AS \`a\` */;\n`),
  },
  {
    what: "a trigger of another schema's table",
    stream: () =>
      amongPrograms("triggers", `CREATE TRIGGER ${witness}.x BEFORE INSERT ON ${witness}.t FOR EACH ROW SET @a = 1;\n`),
  },
  {
    what: "a routine in another schema",
    stream: () => amongPrograms("routines", `CREATE PROCEDURE \`${witness}\`.\`p\`() SELECT 1;\n`),
  },
  {
    what: "a view that reads another schema",
    stream: () => amongPrograms("views", `/*!50001 CREATE VIEW \`v\` AS SELECT \`id\` FROM \`${witness}\`.\`t\` */;\n`),
  },
  {
    what: "a routine that writes into another schema",
    stream: () => amongPrograms("routines", `CREATE PROCEDURE \`p\`() DELETE FROM ${witness} . t;\n`),
  },
  {
    what: "a program in another user's name",
    stream: () => amongPrograms("routines", "CREATE DEFINER=`root`@`localhost` PROCEDURE `p`() SELECT 1;\n"),
  },
  {
    what: "an event among the triggers",
    stream: () => amongPrograms("triggers", "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO SET @a = 1;\n"),
  },
  {
    what: "a library's function",
    stream: () => amongPrograms("routines", "CREATE FUNCTION f RETURNS STRING SONAME 'x.so';\n"),
  },
  {
    what: "another schema's character set",
    stream: () => amongPrograms("routines", `ALTER DATABASE ${witness} CHARACTER SET latin1 COLLATE latin1_bin;\n`),
  },
  {
    what: "a view of another schema taken away",
    stream: () => amongPrograms("views", `DROP VIEW IF EXISTS \`${witness}\`.\`v\`;\n`),
  },
  {
    what: "letters that hide where a quote ends",
    stream: () =>
      amongPrograms(
        "routines",
        `SET character_set_client = gbk;\nCREATE PROCEDURE \`p\`() SELECT '\xbf\\';DELETE FROM ${witness}.t; -- ';\n`,
      ),
  },
];

/** As somebody would forge it who can also write the manifest. */
const manifestFor = (stream: string): Manifest => ({
  ...manifest,
  database: {
    ...manifest.database,
    programs: manifest.database.programs.map((program) => {
      const [, text = ""] = stream.split(`-- openemr-ops section: ${program.section}\n`);
      const own = Buffer.from(text.split(/-- openemr-ops (?:section: |end of dump)/)[0] ?? "", "latin1");
      return { ...program, byteLength: own.length, sha256: hash("sha256", own) };
    }),
  },
});

/** Loads the rows' half alone. */
const loadRows = (
  from: DumpContext,
  of: Manifest,
  access: DatabaseAccess,
  skip: NonNullable<LoadSettings["skip"]> = [],
): Promise<void> => {
  const { store, tools, signal, progress } = from;
  const settings = { mariadb: tools.mariadb, signal, progress, skip };
  const load = async (stream: Readable) => void (await loadDatabase(access, of, stream, settings));
  return store.readDatabase(of.database.part, load, { signal, progress });
};

const refusal = async (work: Promise<unknown>): Promise<void> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(await witnessed()).toEqual(before);
  expect(error).toBeInstanceOf(IntegrityError);
  expect(String(error)).not.toMatch(/DELETE|SELECT|LOAD DATA|witness/);
};
const schemas = async () =>
  (await clinic.schema.query("SHOW DATABASES LIKE ?", [`${clinic.schema.name}%`])).map((row) => Object.values(row)[0]);

describe("a drill of a dump that was forged to hold", () => {
  it.each(inTables)("$what: fails, and touches nothing else", async ({ stream }) => {
    await refusal(drillDump(forgedBy(stream()), "latest"));

    expect(await schemas()).toEqual([clinic.schema.name, witness]);
    expect(await readdir(join(clinic.directory, "data"))).toEqual([]);
  });
  it.each(inPrograms)("$what: fails, and touches nothing else", async ({ stream }) => {
    const access = { ...context.restoreDatabase, name: `${clinic.schema.name}_scratch` };
    const forged = stream();
    try {
      await refusal(loadRows(forgedBy(forged), manifestFor(forged), access, ["events"]));
    } finally {
      await clinic.schema.query(`DROP DATABASE IF EXISTS ${sqlName(access.name)}`);
    }
  });
});

describe("a dump into which a statement was put anywhere", () => {
  const statement = () => `DELETE FROM ${witness}.t`;
  const wrappings: readonly ((text: string) => string)[] = [
    (text) => `${text};`,
    (text) => `\n${text};\n`,
    (text) => `;\n${text};\n`,
    (text) => `);\n${text};\n`,
    (text) => `'); ${text};\n`,
    (text) => `*/;\n${text};\n`,
    (text) => `;;\n${text};;\n`,
    (text) => `\`; ${text};\n`,
    (text) => `/*!50003 ${text} */;\n`,
    (text) => `DELIMITER //\n${text}//\n`,
  ];

  it("never gets it run", { timeout: 240_000 }, async () => {
    const scratch = `${clinic.schema.name}_anywhere`;
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.boolean(),
        fc.constantFrom(...wrappings),
        async (share, atLine, wrap) => {
          const place = Math.floor(sql.length * share);
          const at = atLine ? sql.indexOf("\n", place) + 1 : place;
          const forged = sql.slice(0, at) + wrap(statement()) + sql.slice(at);
          const access = { ...context.restoreDatabase, name: scratch };
          await loadRows(forgedBy(forged), manifestFor(forged), access).catch(() => {});
          await clinic.schema.query(`DROP DATABASE IF EXISTS ${sqlName(scratch)}`);

          expect(await clinic.schema.query(`SELECT id FROM ${witness}.t`)).toHaveLength(2);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("a dump whose stream goes on beyond the length in its manifest", () => {
  it("is refused there, not when the disk is full", async () => {
    const longest = 32 * 2 ** 20;
    let given = 0;
    const endless = async function* () {
      const [head = ""] = sql.split(endOfRows);
      yield Buffer.from(head, "latin1");
      for (let id = 1000; given < longest; id++) {
        const row = Buffer.from(`INSERT INTO \`visits\` VALUES\n(${id},1,'${"x".repeat(60_000)}');\n`);
        given += row.length;
        yield row;
      }
    };
    const access = { ...context.restoreDatabase, name: `${clinic.schema.name}_endless` };
    const forged: DumpContext = {
      ...context,
      store: { ...context.store, readDatabase: (_part, consume) => consume(Readable.from(endless())) },
    };

    await expect(loadRows(forged, manifest, access)).rejects.toThrow(/more bytes than its manifest says/);
    expect(given).toBeLessThan(2 ** 20);
    await clinic.schema.query(`DROP DATABASE IF EXISTS ${sqlName(access.name)}`);
  });
});

describe("a restore of a dump that was forged to hold", () => {
  it.each(inTables.slice(0, 4))("$what: fails beside, and touches nothing else", async ({ stream, what }) => {
    const intoDatabase = `${clinic.schema.name}_beside`;
    const intoSites = join(clinic.directory, what);
    await refusal(restoreDump(forgedBy(stream()), { dump: "latest", intoDatabase, intoSites }));
    await clinic.schema.query(`DROP DATABASE IF EXISTS ${sqlName(intoDatabase)}`);
  });
  it("a statement in a table's structure: fails in place, and leaves what is live", async () => {
    const stream = inStructure(`DELETE FROM \`${witness}\`.t;`);

    await refusal(restoreDump(forgedBy(stream), { dump: "latest", inPlace: true }));
  });
});

describe("a portable dump whose object somebody replaced", () => {
  const replaceObject = async (): Promise<void> => {
    const { part } = manifest.database;
    if (part.kind !== "object") throw new Error("a portable dump lies in objects");
    const file = join(clinic.directory, "repository", part.key);
    const text = (await promisify(zstdDecompress)(await readFile(file))).toString("latin1");
    const forged = text.replace(endOfRows, (_, rows: string) => `${rows},\n(77,1,'forged');\n`);
    await writeFile(file, await promisify(zstdCompress)(Buffer.from(forged, "latin1")));
  };
  const older = (): Manifest => {
    const { part } = manifest.database;
    const { pieces: _, ...rest } = part as Extract<typeof part, { kind: "object" }>;
    return { ...manifest, database: { ...manifest.database, part: rest } };
  };

  it.each([
    { of: "today's kind", chosen: () => manifest },
    { of: "the kind without digests of pieces", chosen: older },
  ])("of $of: is found out before a row of it is loaded", async ({ chosen }) => {
    await replaceObject();
    const access = { ...context.restoreDatabase, name: `${clinic.schema.name}_replaced` };

    await refusal(loadRows(context, chosen(), access));

    const tables = await clinic.schema.query(
      "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?",
      [access.name],
    );
    expect(tables.map((row) => row.TABLE_NAME)).not.toContain("visits");
    await clinic.schema.query(`DROP DATABASE IF EXISTS ${sqlName(access.name)}`);
  });
});
