import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ServerAddress, sqlName } from "@openemr-ops/local/servers/databaseServer";
import { type FreshSchema, freshSchema, seeRoutines } from "./database.ts";
import { aKeyedSite } from "./keyedSite.ts";
import { aSqlconf } from "./sitesTree.ts";
import type { TestRow } from "./sqliteReader.ts";

/** The smallest installation that has one of everything a restore can break: it dumps and drills in a second or two. */
export interface Clinic {
  readonly schema: FreshSchema;
  readonly sitesPath: string;
  /** A directory of its own, mode 0755: `sites/` is taken, the rest is free. */
  readonly directory: string;
  remove(): Promise<void>;
}

/** Marks of patients: nothing but rows and files may ever hold them. */
export const patientCanary = "Canary-Patient-Quetzal";

const structure = [
  "CREATE TABLE `keys` (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, value TEXT NOT NULL)",
  "CREATE TABLE globals (gl_name VARCHAR(63) NOT NULL, gl_index INT NOT NULL, gl_value TEXT, PRIMARY KEY (gl_name, gl_index))",
  "CREATE TABLE documents (id INT NOT NULL PRIMARY KEY, type VARCHAR(20), size INT, url VARCHAR(255), thumb_url VARCHAR(255), couch_docid VARCHAR(100), storagemethod TINYINT, path_depth TINYINT, encrypted TINYINT, deleted TINYINT)",
  "CREATE TABLE version (v_major INT, v_minor INT, v_patch INT, v_realpatch INT, v_tag VARCHAR(31), v_database INT, v_acl INT)",
  "CREATE TABLE patients (pid INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, weight FLOAT, visits INT NOT NULL DEFAULT 0)",
  "CREATE TABLE visits (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, pid INT NOT NULL, note LONGTEXT, CONSTRAINT visit_of FOREIGN KEY (pid) REFERENCES patients (pid))",
  "CREATE TABLE log (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, comments LONGTEXT)",
];
const programs = [
  "CREATE TRIGGER visits_counted AFTER INSERT ON visits FOR EACH ROW UPDATE patients SET visits = visits + 1 WHERE pid = NEW.pid",
  "CREATE VIEW heavy_patients AS SELECT pid, weight FROM patients WHERE weight > 70",
  "CREATE FUNCTION visits_of(who INT) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM visits WHERE pid = who)",
  "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log WHERE id < 0",
];

/** Below another directory so that the set-up of keys and certificates stays the same. */
const writeTree = async (root: string, files: Readonly<Record<string, unknown>>): Promise<void> => {
  for (const [path, entry] of Object.entries(files)) {
    await mkdir(join(root, entry === null ? path : dirname(path)), { recursive: true });
    if (typeof entry === "string" || Buffer.isBuffer(entry)) await writeFile(join(root, path), entry);
  }
};

const insertRows = async (schema: FreshSchema, table: string, rows: readonly TestRow[]): Promise<void> => {
  for (const row of rows) {
    const columns = Object.keys(row).map(sqlName).join(", ");
    const marks = Object.keys(row).map(() => "?");
    await schema.query(`INSERT INTO ${sqlName(table)} (${columns}) VALUES (${marks.join(", ")})`, Object.values(row));
  }
};

/**
 * Builds one.
 *
 * @param options.server another server than the shared one
 * @param options.logMegabytes as for `growLog`
 * @param options.programs also a trigger, a view, a function and an event
 */
export const aClinic = async ({
  server,
  logMegabytes = 0,
  programs: withPrograms = true,
}: {
  readonly server?: ServerAddress;
  readonly logMegabytes?: number;
  readonly programs?: boolean;
} = {}): Promise<Clinic> => {
  const directory = await mkdtemp(join(tmpdir(), "openemr-ops-clinic-"));
  await chmod(directory, 0o755);
  const sitesPath = join(directory, "sites");
  const schema = await freshSchema(server);
  const site = aKeyedSite();
  await writeTree(sitesPath, {
    ...site.files,
    "default/sqlconf.php": aSqlconf({ database: schema.name }),
    "default/documents/12/letter": `a letter to ${patientCanary}`,
  });
  for (const statement of structure) await schema.query(statement);
  // On MySQL nobody without SYSTEM_USER may replace what root made, so no application's programs are root's there.
  if (withPrograms && schema.product === "MySQL") await schema.as(schema.restoreUser, programs);
  else if (withPrograms) for (const statement of programs) await schema.query(statement);
  await schema.query(`GRANT ${seeRoutines(schema.product)} TO ${sqlName(schema.restoreUser.user)}@'%'`);
  for (const [table, rows] of Object.entries(site.tables)) await insertRows(schema, table, rows);
  await insertRows(schema, "version", [
    { v_major: 8, v_minor: 1, v_patch: 0, v_realpatch: 0, v_tag: "", v_database: 541, v_acl: 13 },
  ]);
  await schema.query("INSERT INTO patients (name, weight) VALUES (?, 70.123456), (?, 51.1)", [
    patientCanary,
    `${patientCanary} the Second`,
  ]);
  await schema.query("INSERT INTO visits (pid, note) VALUES (1, ?), (1, 'a'), (2, 'b')", [`note on ${patientCanary}`]);
  if (logMegabytes > 0) await growLog(schema, logMegabytes);
  return {
    schema,
    sitesPath,
    directory,
    remove: async () => {
      await schema.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** Adds rows to `log` that make a dump last and do not compress. */
export const growLog = async (schema: Pick<FreshSchema, "query">, megabytes: number): Promise<void> => {
  const noise = Array(16).fill("TO_BASE64(RANDOM_BYTES(1024))").join(", ");
  await schema.query(`INSERT INTO log (comments) SELECT CONCAT(${noise}) FROM seq_1_to_${megabytes * 45}`);
};

/** Rows and programs of a schema, told by the server alone: equal before and after means equal. */
export const rowsOf = async (
  schema: Pick<FreshSchema, "query">,
  name: string,
): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  const from = "information_schema.TABLES WHERE TABLE_SCHEMA = ?";
  for (const { TABLE_NAME: table } of await schema.query(`SELECT TABLE_NAME FROM ${from} ORDER BY 1`, [name])) {
    const rows = await schema.query(`SELECT * FROM ${sqlName(name)}.${sqlName(String(table))}`);
    const sorted = rows.map((row) => JSON.stringify(row)).sort();
    found[String(table)] = createHash("sha256").update(sorted.join("\n")).digest("hex");
  }
  const counted = await schema.query(
    `SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?) AS triggers,
            (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?) AS routines,
            (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?) AS events`,
    [name, name, name],
  );
  return { ...found, "(programs)": JSON.stringify(counted[0]) };
};

/** Content of every file below a directory by its path; directories of ours are left out. */
export const filesOf = async (root: string): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (path.startsWith(".openemr-ops-") || entry.isDirectory()) continue;
    found[path] = entry.isSymbolicLink()
      ? await readlink(join(root, path))
      : createHash("sha256")
          .update(await readFile(join(root, path)))
          .digest("hex");
  }
  return found;
};
