import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decrypt } from "@openemr-ops/openemr/crypto";
import { documentFile } from "@openemr-ops/openemr/documentFile";
import { readKeySet } from "@openemr-ops/openemr/keys";
import mysql from "mysql2/promise";
import type { ApplicationLogin } from "../estate/sites.ts";
import { readerOf } from "./siteConnection.ts";
import { entriesInRound, roundMarks } from "./writeRound.ts";

/** What a copy of the estate says of itself. */
export interface InvariantReport {
  /** How many rounds of the application are in it; the state is the one right after the last of them. */
  readonly rounds: number;
  /** Documents of those rounds whose content was compared with its row. */
  readonly documentsRead: number;
  /** One sentence each; empty when the copy is a state that existed. */
  readonly violations: readonly string[];
}

/** Each counts rows that no state between two transactions of the application has. */
const rules: readonly (readonly [sentence: string, sql: string])[] = [
  [
    "entries of the ledger are missing or doubled",
    "SELECT ABS(h.last_entry - (SELECT COUNT(*) FROM module_ledger)) + ABS(h.last_entry - (SELECT COALESCE(MAX(entry), 0) FROM module_ledger)) AS found FROM module_ledger_head h",
  ],
  [
    "rounds are counted that are not there",
    "SELECT ABS(h.rounds - (SELECT COUNT(DISTINCT round) FROM module_ledger)) AS found FROM module_ledger_head h",
  ],
  [
    "rounds do not sum to zero or lack entries",
    `SELECT COUNT(*) AS found FROM (SELECT round FROM module_ledger GROUP BY round HAVING SUM(amount) <> 0 OR COUNT(*) <> ${entriesInRound}) r`,
  ],
  [
    "rounds lack their visit",
    "SELECT COUNT(*) AS found FROM module_ledger l LEFT JOIN form_encounter e ON e.encounter = l.encounter WHERE e.id IS NULL",
  ],
  [
    "rounds lack their document",
    "SELECT COUNT(*) AS found FROM module_ledger l LEFT JOIN documents d ON d.id = l.document_id WHERE d.id IS NULL",
  ],
  [
    "rounds lack their audit entry",
    "SELECT COUNT(*) AS found FROM module_ledger l LEFT JOIN log g ON g.id = l.log_id LEFT JOIN log_comment_encrypt c ON c.log_id = l.log_id WHERE g.id IS NULL OR c.id IS NULL",
  ],
  [
    "visits are there without their round",
    `SELECT COUNT(*) AS found FROM form_encounter e LEFT JOIN module_ledger l ON l.encounter = e.encounter WHERE e.reason LIKE '${roundMarks.encounter}%' AND l.entry IS NULL`,
  ],
  [
    "documents are there without their round",
    `SELECT COUNT(*) AS found FROM documents d LEFT JOIN module_ledger l ON l.document_id = d.id WHERE d.name LIKE '${roundMarks.document}%' AND l.entry IS NULL`,
  ],
  [
    "audit entries are there without their round",
    `SELECT COUNT(*) AS found FROM log g LEFT JOIN module_ledger l ON l.log_id = g.id WHERE g.event = '${roundMarks.logEvent}' AND l.entry IS NULL`,
  ],
  [
    "the sequence lies behind the numbers that were given out",
    "SELECT (SELECT MAX(id) FROM sequences) < GREATEST((SELECT COALESCE(MAX(id), 0) FROM documents), (SELECT COALESCE(MAX(encounter), 0) FROM form_encounter)) AS found",
  ],
];

/** Compares each live document's file with size and digest in its row. */
const checkFiles = async (
  connection: mysql.Connection,
  sitesPath: string,
): Promise<{ read: number; broken: number }> => {
  const { keys } = await readKeySet(sitesPath, "default", readerOf(connection));
  const [rows] = await connection.query<mysql.RowDataPacket[]>(
    `SELECT url, path_depth, encrypted, hash FROM documents WHERE name LIKE '${roundMarks.document}%'`,
  );
  let broken = 0;
  for (const { url, path_depth, encrypted, hash } of rows) {
    const path = documentFile(String(url), String(path_depth)) ?? "";
    const content = await readFile(join(sitesPath, "default/documents", path)).catch(() => Buffer.alloc(0));
    const opened = Number(encrypted) === 1 ? decrypt(content.toString("latin1"), keys, "database") : undefined;
    const clear = opened === undefined ? content : opened.opened ? opened.plaintext : Buffer.alloc(0);
    if (createHash("sha3-512").update(clear).digest("hex") !== hash) broken++;
  }
  return { read: rows.length, broken };
};

/**
 * Judges a copy of the estate, restored or live: whether its rows are one state that existed between two transactions of the
 * application, and, given a `sites` tree, whether every document that the application added is there, whole and readable.
 * Reads in one transaction; changes nothing.
 */
export const checkInvariant = async (login: ApplicationLogin, sitesPath?: string): Promise<InvariantReport> => {
  const { host, port, user, password, name } = login;
  const connection = await mysql.createConnection({ host, port, user, password, database: name });
  try {
    await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    const violations: string[] = [];
    for (const [sentence, sql] of rules) {
      const [[row]] = await connection.query<mysql.RowDataPacket[]>(sql);
      const found = Number(row?.found ?? Number.NaN); // no row: the head itself is gone
      if (found !== 0) violations.push(`${sentence} (${found})`);
    }
    const [[head]] = await connection.query<mysql.RowDataPacket[]>("SELECT rounds FROM module_ledger_head");
    const files = sitesPath === undefined ? { read: 0, broken: 0 } : await checkFiles(connection, sitesPath);
    if (files.broken > 0) violations.push(`documents lack their file, or it differs from its row (${files.broken})`);
    return { rounds: Number(head?.rounds ?? 0), documentsRead: files.read, violations };
  } finally {
    await connection.end();
  }
};
