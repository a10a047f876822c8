import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MariaDb } from "@openemr-ops/local/servers/mariadb";

export interface BenchSize {
  /** Megabytes of SQL, roughly. */
  readonly sqlMegabytes: number;
  readonly files: number;
}

/** Bytes of SQL for one row of the audit log below, and its part of the whole. */
const bytesPerRow = 520;
const logShare = 0.8;
const encounterBytes = 330;

const words =
  "'lisinopril','follow up','blood pressure','no acute distress','referred','stable','reports pain','denies fever'";

/** Rows of a mid-sized practice: an audit log that dwarfs the rest, notes, and one table with FLOAT columns. */
export const fillDatabase = async (database: MariaDb, schema: string, { sqlMegabytes }: BenchSize): Promise<void> => {
  const logRows = Math.ceil((sqlMegabytes * 1e6 * logShare) / bytesPerRow);
  const encounterRows = Math.ceil((sqlMegabytes * 1e6 * (1 - logShare)) / encounterBytes);
  const run = (sql: string) => database.query(sql.replaceAll("@@", `\`${schema}\`.`));
  await database.createSchema(schema);
  await run(
    "CREATE TABLE @@version (v_major INT, v_minor INT, v_patch INT, v_realpatch INT, v_tag VARCHAR(31), v_database INT, v_acl INT)",
  );
  await run("INSERT INTO @@version VALUES (8,1,0,0,'',530,13)");
  await run(`CREATE TABLE @@log (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, date DATETIME, event VARCHAR(255), category VARCHAR(255),
    user VARCHAR(255), comments LONGTEXT, patient_id BIGINT, success TINYINT(1), checksum LONGTEXT, KEY patient_id (patient_id), KEY date (date))`);
  const step = 200_000;
  for (let from = 1; from <= logRows; from += step) {
    const to = Math.min(logRows, from + step - 1);
    await run(`INSERT INTO @@log (id, date, event, category, user, comments, patient_id, success, checksum)
      SELECT seq, '2020-01-01' + INTERVAL seq * 60 SECOND, 'patient-record-select', 'Patient Demographics', CONCAT('user', seq % 37),
        TO_BASE64(CONCAT('SELECT form_encounter.date, form_encounter.reason FROM form_encounter WHERE pid = ', seq % 20011, ' AND encounter = ', seq,
        ' ORDER BY date DESC LIMIT 25 ', MD5(seq))), seq % 20011, 1, SHA2(seq, 512) FROM @@seq_${from}_to_${to}`);
  }
  await run(`CREATE TABLE @@form_encounter (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, uuid BINARY(16), date DATETIME, reason LONGTEXT,
    pid BIGINT, encounter BIGINT, onset_date DATE, UNIQUE KEY uuid (uuid), KEY pid_encounter (pid, encounter))`);
  await run(`INSERT INTO @@form_encounter SELECT seq, UNHEX(MD5(seq)), '2015-01-01' + INTERVAL seq * 300 SECOND,
    CONCAT_WS(' ', ELT(1 + seq % 8, ${words}), ELT(1 + seq % 7, ${words}), MD5(seq * 3), ELT(1 + seq % 5, ${words}), MD5(seq * 7), ELT(1 + seq % 3, ${words})),
    seq % 20011, seq, '2015-01-01' + INTERVAL seq % 4000 DAY FROM @@seq_1_to_${encounterRows}`);
  await run(
    "CREATE TABLE @@immunizations (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, patient_id INT, amount_administered FLOAT, note TEXT)",
  );
  await run(
    `INSERT INTO @@immunizations SELECT seq, seq % 20011, seq / 7, MD5(seq) FROM @@seq_1_to_${Math.ceil(encounterRows / 20)}`,
  );
};

/** A working day: one per cent of the newest rows touched in one place, some rows here and there, new rows at the end. */
export const changeDatabase = async (database: MariaDb, schema: string): Promise<void> => {
  const run = (sql: string) => database.query(sql.replaceAll("@@", `\`${schema}\`.`));
  const [row] = await database.query(`SELECT MAX(id) AS top FROM \`${schema}\`.form_encounter`);
  const top = Number(row?.top);
  await run(`UPDATE @@form_encounter SET reason = CONCAT('addendum ', reason) WHERE id > ${Math.floor(top * 0.99)}`);
  await run(
    `UPDATE @@form_encounter SET reason = 'corrected' WHERE id IN (${Math.floor(top / 3)}, ${Math.floor(top / 2)})`,
  );
  await run(`INSERT INTO @@log (date, event, category, user, comments, patient_id, success, checksum)
    SELECT '2026-01-01' + INTERVAL seq SECOND, 'login', 'login', 'user1', TO_BASE64(MD5(seq)), seq, 1, SHA2(-seq, 512) FROM @@seq_1_to_10000`);
};

/** Text that compresses like text, different in each file. */
const fileContent = (index: number, bytes: number): Buffer => {
  let state = index * 2_654_435_761 + 1;
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    content[at] = at % 4 === 0 ? 97 + (state % 26) : 32 + (state % 64);
  }
  return content;
};

const sqlconf = (schema: string) => `<?php
$host = 'localhost';
$port = '3306';
$login = 'openemr';
$pass = 'unused';
$dbase = '${schema}';
$sqlconf = array();
global $sqlconf;
$sqlconf["host"] = $host;
$sqlconf["port"] = $port;
$sqlconf["login"] = $login;
$sqlconf["pass"] = $pass;
$sqlconf["dbase"] = $dbase;
$config = 1;
`;

/** `files` documents of 1 to 8 KiB, forty a patient. */
export const fillSites = (sites: string, schema: string, { files }: BenchSize, from = 0): void => {
  const documents = join(sites, "default", "documents");
  mkdirSync(join(documents, "logs_and_misc", "methods"), { recursive: true });
  writeFileSync(join(sites, "default", "sqlconf.php"), sqlconf(schema));
  for (let index = from; index < from + files; index++) {
    const directory = join(documents, String(Math.floor(index / 40)));
    if (index % 40 === 0 || index === from) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `document-${index}.txt`), fileContent(index, 1024 + ((index * 7919) % 7168)));
  }
};
