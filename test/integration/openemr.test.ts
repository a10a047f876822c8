import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { checkDocuments } from "@openemr-ops/openemr/documents";
import { proveKeys } from "@openemr-ops/openemr/keyProof";
import { prepareSites } from "@openemr-ops/openemr/prepareSites";
import { rewriteSqlconf, type Sqlconf } from "@openemr-ops/openemr/sqlconf";
import { readVersion } from "@openemr-ops/openemr/version";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConsistency } from "../support/consistency.ts";
import { accessOf, type FreshSchema, freshSchema } from "../support/database.ts";
import { aDocument, aKeyedSite } from "../support/keyedSite.ts";
import { aSqlconf, aTree } from "../support/sitesTree.ts";
import type { TestRow } from "../support/sqliteReader.ts";

const run = promisify(execFile);

/** What PHP itself makes of the files: each value in base64, for they may be anything. */
const php = async (paths: readonly string[]): Promise<readonly Sqlconf[]> => {
  const script = `foreach (array_slice($argv, 1) as $file) { (function () use ($file) {
    ob_start(); include $file; if (ob_get_clean() !== "") { fwrite(STDERR, "output"); exit(1); }
    $plain = [$host, $port, $login, $pass, $dbase];
    if ($plain != array_values($sqlconf)) { fwrite(STDERR, "variables and array differ"); exit(1); }
    echo json_encode([...array_map("base64_encode", $plain), $config]), "\\n"; })(); }`;
  const { stdout } = await run("php", ["-n", "-r", script, "--", ...paths], { maxBuffer: 1 << 26 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [host, port, login, pass, dbase, config] = JSON.parse(line) as [
        string,
        string,
        string,
        string,
        string,
        number,
      ];
      const text = (base64: string) => Buffer.from(base64, "base64").toString();
      return {
        host: text(host),
        port: Number(text(port)),
        login: text(login),
        pass: text(pass),
        dbase: text(dbase),
        configured: config === 1,
      };
    });
};

describe("PHP itself", () => {
  // Without `global`, which in the script's function would mean another variable.
  const template = Buffer.from(aSqlconf().replace("global $sqlconf;", ""));

  it("reads from every sqlconf.php that we write the values that we meant", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.string({
        unit: fc.constantFrom("'", "\\", '"', "$", "{", "?>", "<?php", "\n", "\r", "\0", ";", "a", "é"),
        maxLength: 12,
      }),
    );
    const values = fc.sample(
      fc.record({
        host: text,
        port: fc.integer({ min: 1, max: 65535 }),
        login: text,
        pass: text,
        dbase: text,
        configured: fc.boolean(),
      }),
      1000,
    );
    const root = await aTree(
      Object.fromEntries(values.map((one, index) => [`${index}.php`, rewriteSqlconf(template, one)])),
    );
    expect(await php(values.map((_, index) => join(root, `${index}.php`)))).toEqual(values);
  });

  it("reads a prepared site's sqlconf.php", async () => {
    const root = await aTree({ "default/sqlconf.php": template });
    const connection = { host: "db.example", port: 3307, login: "o'brien", pass: "\\'; exit; //", dbase: "restored" };
    await prepareSites({ sitesPath: root, platform: "host", connection, upgrade: false });
    expect(await php([join(root, "default/sqlconf.php")])).toEqual([{ ...connection, configured: true }]);
  });
});

describe("on a MariaDB server, with the rights of a dump user", () => {
  let schema: FreshSchema;
  let database: DatabaseConnection;

  beforeAll(async () => {
    schema = await freshSchema();
    database = await connect(accessOf(schema, schema.dumpUser));
  });
  afterAll(async () => {
    await database?.[Symbol.asyncDispose]();
    await schema?.drop();
  });

  const fill = async (table: string, rows: readonly TestRow[], types: Readonly<Record<string, string>> = {}) => {
    const columns = Object.keys(rows[0] ?? {});
    await schema.query(`DROP TABLE IF EXISTS \`${table}\``);
    const typeOf = (column: string) => types[column] ?? (typeof rows[0]?.[column] === "number" ? "BIGINT" : "TEXT");
    await schema.query(
      `CREATE TABLE \`${table}\` (${columns.map((column) => `\`${column}\` ${typeOf(column)}`).join(", ")})`,
    );
    for (const row of rows) {
      const marks = columns.map(() => "?").join(", ");
      await schema.query(
        `INSERT INTO \`${table}\` VALUES (${marks})`,
        columns.map((column) => row[column] ?? null),
      );
    }
  };

  it("keys are proven and documents are checked", async () => {
    const site = aKeyedSite({ versions: [6, 7] });
    const missing = aDocument({ id: 2, url: "file:///x/documents/12/two", thumb_url: "file:///x/documents/12/th_two" });
    await fill("keys", site.tables.keys);
    await fill("globals", site.tables.globals);
    await fill("documents", [...site.tables.documents, missing], { type: "ENUM('file_url','blob','web_url')" });
    await fill("oauth_clients", [{ client_id: "c", client_secret: "007AAAA", register_date: "2026-01-01" }]);
    const sitesPath = await aTree(site.files);

    expect(await proveKeys({ sitesPath, database, sites: ["default"] })).toMatchObject({
      status: "proven",
      sites: [
        {
          openedVersions: [6, 7],
          oauth: "opens",
          values: { found: 1, opened: 1 },
          documents: { sampled: 1, opened: 1 },
        },
      ],
    });
    expect(await checkDocuments({ sitesPath, database, site: "default", batch: 1 })).toMatchObject({
      rows: 2,
      missing: { count: 1, ids: [2] },
      thumbnailsMissing: 1,
    });
  });

  it("rows that do not fit each other are counted", async () => {
    await fill("documents", [
      { id: 9, foreign_id: 1 },
      { id: 10, foreign_id: 77 },
      { id: 11, foreign_id: 0 },
    ]);
    await fill("patient_data", [{ pid: 1 }]);
    await fill("form_encounter", [{ encounter: 4 }]);
    await fill("sequences", [{ id: 10 }]);
    await fill("users", [
      { id: 1, username: "admin" },
      { id: 2, username: "Nurse" },
      { id: 3, username: "external" },
    ]);
    await fill("users_secure", [
      { id: 1, username: "admin" },
      { id: 2, username: "nurse" },
      { id: 8, username: "gone" },
    ]);
    expect(await checkConsistency(database)).toEqual([
      { code: "document-without-patient", count: 1 },
      { code: "sequence-behind-documents", count: 1 },
      { code: "login-without-user", count: 1 },
      { code: "login-name-differs", count: 1 },
    ]);
    await schema.query("DROP TABLE `users_secure`, `sequences`, `patient_data`");
    expect(await checkConsistency(database)).toEqual([]);
  });
});

const realSchema = new URL("../../../shared/openemr/database.sql.zst", import.meta.url);
if (existsSync(realSchema)) {
  describe("on OpenEMR's own schema", () => {
    it("every question that we ask is understood, and a new installation has nothing wrong", async () => {
      await using schema = await freshSchema();
      await using database = await connect(accessOf(schema, schema.dumpUser));
      const { host, port, user, password, name } = schema;
      const loading = run(
        "mariadb",
        [
          "--no-defaults",
          `--host=${host}`,
          `--port=${port}`,
          `--user=${user}`,
          "--default-character-set=utf8mb4",
          name,
        ],
        { env: { PATH: "/usr/bin:/bin", MYSQL_PWD: password } },
      );
      loading.child.stdin?.end(`SET sql_mode='';\n${zstdDecompressSync(readFileSync(realSchema)).toString()}`);
      await loading;

      const sitesPath = await aTree({
        "default/sqlconf.php": aSqlconf(),
        [`default/documents/${randomBytes(4).toString("hex")}`]: "x",
      });
      expect(await readVersion(database)).toMatchObject({ major: 0, tag: "" });
      expect(await proveKeys({ sitesPath, database, sites: ["default"] })).toMatchObject({ status: "proven" });
      expect(await checkDocuments({ sitesPath, database, site: "default" })).toMatchObject({ rows: 0 });
      expect(await checkConsistency(database)).toEqual([]);
    });
  });
}
