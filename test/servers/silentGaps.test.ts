import { join } from "node:path";
import { SourceLayoutError, TargetUnsuitableError } from "@openemr-ops/core/errors";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { planDump, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { contextFor } from "../support/dumpContext.ts";

const { product } = inject("server");

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic({ programs: false });
});
afterAll(() => clinic.remove());

const contextOf = (of: Clinic) => contextFor({ ...of, dumps: { format: "portable" } });

describe("what no dump holds", () => {
  it("is said of documents in CouchDB, in the plan, the manifest and every verdict", async () => {
    await clinic.schema.query(
      "INSERT INTO documents (id, type, url, storagemethod, couch_docid) VALUES (801, 'file_url', 'a', 1, 'doc-1'), (802, 'file_url', 'b', 1, ''), (803, 'file_url', 'c', 0, 'doc-3')",
    );
    const warning = expect.objectContaining({
      code: "documents-in-couchdb",
      count: 3,
      message: expect.stringMatching(/^3 documents .*CouchDB/),
    });
    const context = await contextOf(clinic);
    expect((await planDump(context)).warnings).toContainEqual(warning);
    const { manifest } = await takeDump(context);

    expect(manifest.warnings).toContainEqual(warning);
    expect((await drillDump(context, manifest.dumpId)).warnings).toContainEqual(warning);
  });
});

/** What makes a value of the next number of a sequence, in a table that also speaks of it. */
const withSequences = (schema: string): readonly string[] => [
  "CREATE SEQUENCE numbers START WITH 7 INCREMENT BY 3",
  `CREATE TABLE numbered (id int PRIMARY KEY DEFAULT nextval(numbers), other int DEFAULT (nextval(numbers) + lastval(numbers)),
   t varchar(99) DEFAULT 'nextval(\`${schema}\`.\`numbers\`)' COMMENT '\`${schema}\`.\`numbers\`', KEY other (other))`,
  "INSERT INTO numbered (t) VALUES ('a'), ('b')",
];

if (product === "MariaDB")
  describe("a column that takes its values from a sequence", () => {
    it("takes them from the copy's own in a copy, whose texts stay as they were", async () => {
      const of = await aClinic({ programs: false });
      for (const statement of withSequences(of.schema.name)) await of.schema.query(statement);
      const context = await contextOf(of);
      const { manifest } = await takeDump(context);
      const copy = `${of.schema.name}_copy`;
      const target = { dump: manifest.dumpId, intoDatabase: copy, intoSites: join(of.directory, "copy") };

      expect(await drillDump(context, manifest.dumpId)).toMatchObject({ verdict: "passed", differences: [] });
      expect(await restoreDump(context, target)).toMatchObject({ verdict: "passed", differences: [] });
      const [made] = await of.schema.query(`SHOW CREATE TABLE ${copy}.numbered`);
      const [source] = await of.schema.query("SHOW CREATE TABLE numbered");
      expect(String(made?.["Create Table"])).toBe(
        String(source?.["Create Table"])
          .replaceAll(`val(\`${of.schema.name}\`.\`numbers\`) `, `val(\`${copy}\`.\`numbers\`) `)
          .replaceAll(new RegExp(`(DEFAULT nextval|lastval)\\(\`${of.schema.name}\``, "g"), `$1(\`${copy}\``),
      );
      const next = async (from: string) =>
        (await of.schema.query(`SELECT next_not_cached_value AS n FROM ${from}`))[0]?.n;
      const before = await next("numbers");
      await of.schema.query(`INSERT INTO ${copy}.numbered (t) VALUES ('c')`);
      expect(await next("numbers")).toBe(before);
      await of.remove();
    });

    it("keeps a dump from being restored in place, where it would take them from a schema that is gone", async () => {
      const of = await aClinic({ programs: false });
      for (const statement of withSequences(of.schema.name)) await of.schema.query(statement);
      const context = await contextOf(of);
      const { manifest } = await takeDump(context);

      expect(manifest.warnings).toContainEqual(
        expect.objectContaining({
          code: "default-from-sequence",
          count: 1,
          message: expect.stringMatching(/numbered/),
        }),
      );
      await expect(restoreDump(context, { dump: manifest.dumpId, inPlace: true })).rejects.toThrow(
        expect.objectContaining({
          name: new TargetUnsuitableError("").name,
          message: expect.stringMatching(/numbered/),
        }),
      );
      await of.remove();
    });

    it("is refused by name where the sequence is in another schema", async () => {
      const of = await aClinic({ programs: false });
      const other = `${of.schema.name}_other`;
      await of.schema.query(`CREATE DATABASE ${other}`);
      await of.schema.query(`CREATE SEQUENCE ${other}.numbers`);
      await of.schema.query(`CREATE TABLE lent (id int PRIMARY KEY DEFAULT nextval(${other}.numbers))`);
      const context = await contextOf(of);

      for (const refused of [planDump, takeDump])
        await expect(refused(context)).rejects.toThrow(
          expect.objectContaining({
            name: new SourceLayoutError("").name,
            message: expect.stringMatching(new RegExp(`^table lent .*schema ${other}`)),
          }),
        );
      await of.remove();
    });

    it("is found where the server keeps names in lower case and the configuration does not", async () => {
      const work = await aClinic({ programs: false });
      const server = await startMariaDb({
        directory: join(work.directory, "server"),
        extraArguments: ["--lower-case-table-names=1"],
      });
      const of = await aClinic({ programs: false, server });
      for (const statement of withSequences(of.schema.name)) await of.schema.query(statement);
      const context = await contextOf(of);
      const upper = { ...context, database: { ...context.database, name: of.schema.name.toUpperCase() } };
      const { manifest } = await takeDump(upper);

      expect(await drillDump(context, manifest.dumpId)).toMatchObject({ verdict: "passed", differences: [] });
      await of.remove();
      await server.stop();
      await work.remove();
    });
  });

if (product === "MariaDB")
  describe("rows that a table kept when they were changed", () => {
    it("are said to be in no dump", async () => {
      await clinic.schema.query("CREATE TABLE kept (id int PRIMARY KEY, a int) WITH SYSTEM VERSIONING");
      await clinic.schema.query("INSERT INTO kept VALUES (1, 1)");
      await clinic.schema.query("UPDATE kept SET a = 2");
      const warning = expect.objectContaining({
        code: "history-not-in-dump",
        count: 1,
        message: expect.stringMatching(/kept/),
      });
      const context = await contextOf(clinic);
      expect((await planDump(context)).warnings).toContainEqual(warning);
      const { manifest } = await takeDump(context);

      expect(manifest.warnings).toContainEqual(warning);
      expect(await drillDump(context, manifest.dumpId)).toMatchObject({ verdict: "passed" });
    });
  });
