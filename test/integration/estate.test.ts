import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { lstat, readdir, readFile, readlink, rename, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkInvariant } from "@openemr-ops/local/application/checkInvariant";
import { connectAsSite, readerOf } from "@openemr-ops/local/application/siteConnection";
import { startApplication } from "@openemr-ops/local/application/startApplication";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import { sqlconfPhp } from "@openemr-ops/local/estate/sites";
import type { EstateSizeChoice } from "@openemr-ops/local/estate/size";
import { assertLayout } from "@openemr-ops/openemr/assertLayout";
import { checkDocuments } from "@openemr-ops/openemr/documents";
import { proveKeys } from "@openemr-ops/openemr/keyProof";
import { readVersion } from "@openemr-ops/openemr/version";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { checkConsistency } from "../support/consistency.ts";
import { type FreshSchema, freshSchema } from "../support/database.ts";

const temporary: string[] = [];
const schemas: FreshSchema[] = [];
const anEstate = async (
  seed: string,
  size: EstateSizeChoice = "tiny",
): Promise<{ estate: Estate; schema: FreshSchema }> => {
  const directory = mkdtempSync(join(tmpdir(), "estate-test-"));
  temporary.push(directory);
  const schema = await freshSchema();
  schemas.push(schema);
  const { host, port, user, password, name } = schema;
  return {
    estate: await buildEstate({ directory, database: { host, port, user, password, name }, seed, size }),
    schema,
  };
};
afterAll(async () => {
  for (const schema of schemas) await schema.drop();
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
});

/** Table → checksum, by the server that holds them all. */
const checksums = async (schema: FreshSchema, estate: Estate): Promise<Record<string, unknown>> => {
  const found: Record<string, unknown> = {};
  for (const table of Object.keys(estate.rows)) {
    const [row] = await schema.query(`CHECKSUM TABLE \`${table}\``);
    found[table] = row?.Checksum;
  }
  return found;
};

/** Path → what is there, without what every build makes anew: the connection and the RSA pair. */
const treeOf = async (sitesPath: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(sitesPath, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (/sqlconf\.php$|oa(?:private|public)\.key$/.test(path)) continue;
    const { mode, mtimeMs, uid } = await lstat(path);
    const content = entry.isFile()
      ? `${mtimeMs} ${createHash("sha256")
          .update(await readFile(path))
          .digest("hex")}`
      : entry.isSymbolicLink()
        ? await readlink(path)
        : "directory";
    found[path.slice(sitesPath.length)] = `${mode} ${uid} ${content}`;
  }
  return found;
};

describe("building an estate", () => {
  it("gives the same rows and files for the same seed, and others for another", async () => {
    const [first, second, other] = [await anEstate("one"), await anEstate("one"), await anEstate("two")];

    const firstRows = await checksums(first.schema, first.estate);
    expect(await checksums(second.schema, second.estate)).toEqual(firstRows);
    expect(await treeOf(second.estate.sitesPath)).toEqual(await treeOf(first.estate.sitesPath));
    const otherRows = await checksums(other.schema, other.estate);
    for (const table of ["patient_data", "log", "keys", "documents", "immunizations"]) {
      expect(otherRows[table]).not.toBe(firstRows[table]);
    }
  });

  it("has as many patients, documents and log rows as asked for", async () => {
    const { estate, schema } = await anEstate("sizes", {
      patients: 7,
      documents: 31,
      documentBytes: 500,
      logRows: 123,
    });

    expect(estate.rows).toMatchObject({ patient_data: 7, documents: 31, log: 123, log_comment_encrypt: 123 });
    for (const [table, rows] of Object.entries(estate.rows)) {
      expect([table, await schema.query(`SELECT COUNT(*) AS found FROM \`${table}\``)]).toEqual([
        table,
        [{ found: rows }],
      ]);
    }
  });

  it("is a whole installation by the product's own judgement", async () => {
    const { estate } = await anEstate("whole");
    const { sitesPath } = estate;
    const connection = await connectAsSite(sitesPath);
    const database = readerOf(connection);

    expect(await proveKeys({ sitesPath, database, sites: ["default"] })).toMatchObject({
      status: "proven",
      sites: [{ oauth: "opens", openedVersions: [6, 7], values: { found: 4, opened: 4 } }],
    });
    const documents = await checkDocuments({ sitesPath, database, site: "default" });
    expect(documents).toMatchObject({
      rows: 40,
      missing: { count: 0 },
      empty: { count: 0 },
      notEncrypted: { count: 0 },
    });
    expect(documents.thumbnailsMissing).toBe(0);
    expect(await checkConsistency(database)).toEqual([]);
    expect(await assertLayout(sitesPath)).toEqual([]);
    expect(await readVersion(database)).toMatchObject({ major: 8, minor: 1 });
    await connection.end();
  });

  it("holds what makes real schemas hard to copy", async () => {
    const { schema } = await anEstate("hard");
    const count = async (sql: string) => Number(Object.values((await schema.query(sql))[0] ?? {})[0]);

    expect(
      await count("SELECT COUNT(*) FROM openemr_postcalendar_events WHERE CAST(pc_endDate AS CHAR) = '0000-00-00'"),
    ).toBe(25);
    expect(await count("SELECT COUNT(*) FROM prescriptions WHERE CAST(txDate AS CHAR) = '0000-00-00'")).toBe(25);
    expect(await count("SELECT COUNT(*) FROM user_settings WHERE setting_user = 0")).toBe(2);
    // FLOATs that six printed digits do not give back.
    expect(
      await count(
        "SELECT COUNT(*) FROM immunizations WHERE amount_administered <> CAST(CONCAT(amount_administered, '') AS FLOAT)",
      ),
    ).toBeGreaterThan(10);
    expect(await schema.query("SHOW TABLE STATUS WHERE Engine = 'MyISAM'")).toHaveLength(1);
    expect(await schema.query("SHOW FULL TABLES WHERE Table_type = 'VIEW'")).toHaveLength(1);
    expect(await schema.query("SHOW TRIGGERS")).toHaveLength(1);
    expect(await schema.query("SHOW EVENTS")).toHaveLength(1);
    expect(
      await count(
        "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()",
      ),
    ).toBe(3);
  });
});

describe("the application", () => {
  let estate: Estate;
  beforeAll(async () => {
    ({ estate } = await anEstate("application"));
  });
  const ask = async (url: string, path: string) => {
    const response = await fetch(`${url}${path}`, { redirect: "manual" });
    return { status: response.status, location: response.headers.get("location"), body: await response.text() };
  };

  it("answers the health checks and shows its login page", async () => {
    const application = await startApplication(estate);

    expect((await ask(application.url, "/meta/health/livez")).body).toBe('{"status":"alive"}');
    expect(JSON.parse((await ask(application.url, "/meta/health/readyz")).body)).toEqual({
      status: "ready",
      checks: { installed: true, database: true, filesystem: true, session: true, oauth_keys: true, cache: true },
    });
    expect(await ask(application.url, "/")).toMatchObject({
      status: 302,
      location: "interface/login/login.php?site=default",
    });
    const login = await ask(application.url, "/interface/login/login.php?site=default");
    expect(login.body).toContain("authUser");
    expect(login.body).toContain("clearPass");
    expect((await ask(application.url, "/meta/health/other")).status).toBe(404);
    await application.stop();
  });

  it("takes a new sqlconf.php at the next request and tells a refused login as OpenEMR does: with a 200", async () => {
    const application = await startApplication(estate);
    const sqlconf = join(estate.sitesPath, "default/sqlconf.php");
    await rename(sqlconf, `${sqlconf}.kept`);
    await writeFile(sqlconf, sqlconfPhp({ ...estate.applicationLogin, password: "no longer valid" }));

    expect(await ask(application.url, "/meta/health/readyz")).toMatchObject({
      status: 200,
      body: expect.stringContaining('"status":"error"'),
    });
    expect((await ask(application.url, "/interface/login/login.php")).body).toContain("Query Error");
    await unlink(sqlconf);
    expect((await ask(application.url, "/")).location).toBe("setup.php?site=default");
    await rename(`${sqlconf}.kept`, sqlconf);
    expect((await ask(application.url, "/meta/health/readyz")).body).toContain('"status":"ready"');
    await application.stop();
  });

  it("keeps its books straight while several clinics write at once", async () => {
    const application = await startApplication(estate);
    const writers = ["a", "b"].map((seed) => application.write({ seed, pauseMs: 0 }));
    const reports = [];
    while (writers.some(({ rounds }) => rounds < 15)) reports.push(await checkInvariant(estate.database));
    const written = await Promise.all(writers.map((writing) => writing.stop()));
    await application.stop();

    expect(written.flatMap(({ failures }) => failures)).toEqual([]);
    expect(reports.flatMap(({ violations }) => violations)).toEqual([]);
    const after = await checkInvariant(estate.database, estate.sitesPath);
    const rounds = written.reduce((sum, report) => sum + report.rounds, 0);
    expect(after).toEqual({ rounds, documentsRead: rounds, violations: [] });
  });
});

describe("judging a copy", () => {
  const breaks: readonly (readonly [what: string, sql: string, sentence: string])[] = [
    ["lost its last entry", "DELETE FROM module_ledger ORDER BY entry DESC LIMIT 1", "entries of the ledger"],
    ["changed an amount", "UPDATE module_ledger SET amount = amount + 1 LIMIT 1", "do not sum to zero"],
    ["lost a visit", "DELETE FROM form_encounter ORDER BY id DESC LIMIT 1", "lack their visit"],
    ["lost a document's row", "DELETE FROM documents ORDER BY id DESC LIMIT 1", "lack their document"],
    [
      "lost an audit entry's seal",
      "DELETE FROM log_comment_encrypt ORDER BY id DESC LIMIT 1",
      "lack their audit entry",
    ],
    ["is older in the ledger than elsewhere", "DELETE FROM module_ledger WHERE round = 3", "without their round"],
    ["is older in the head", "UPDATE module_ledger_head SET rounds = 2, last_entry = 8", "rounds are counted"],
    ["has a sequence of an earlier moment", "UPDATE sequences SET id = id - 1", "sequence lies behind"],
    ["lost its head", "DELETE FROM module_ledger_head", "entries of the ledger"],
  ];
  let estate: Estate;
  let schema: FreshSchema;
  beforeAll(async () => {
    ({ estate, schema } = await anEstate("judged"));
    const application = await startApplication(estate);
    const writing = application.write();
    await vi.waitUntil(() => writing.rounds >= 3, { timeout: 20_000 });
    await application.stop();
  });

  it.each(breaks)("sees that it %s", async (_, sql, sentence) => {
    const tables = [
      "module_ledger",
      "module_ledger_head",
      "form_encounter",
      "documents",
      "log_comment_encrypt",
      "sequences",
    ];
    for (const table of tables) await schema.query(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
    await schema.query(sql);
    const { violations } = await checkInvariant(estate.database);
    for (const table of tables) {
      await schema.query(`DELETE FROM ${table}`);
      await schema.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
      await schema.query(`DROP TABLE kept_${table}`);
    }

    expect(violations.join("; ")).toContain(sentence);
    expect((await checkInvariant(estate.database)).violations).toEqual([]);
  });

  it("sees that a document's file is gone, cut or of another row", async () => {
    const [row] = await schema.query("SELECT url FROM documents ORDER BY id DESC LIMIT 1");
    const file = join(estate.sitesPath, "default/documents", ...String(row?.url).split("/").slice(-2));
    const content = await readFile(file);

    for (const damaged of [Buffer.alloc(0), content.subarray(0, content.length / 2), Buffer.from("another")]) {
      await writeFile(file, damaged);
      expect((await checkInvariant(estate.database, estate.sitesPath)).violations).toHaveLength(1);
    }
    await unlink(file);
    expect((await checkInvariant(estate.database, estate.sitesPath)).violations).toHaveLength(1);
    await writeFile(file, content);
    expect((await checkInvariant(estate.database, estate.sitesPath)).violations).toEqual([]);
  });
});
