import { createHash } from "node:crypto";
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encrypt, type RawKeys } from "@openemr-ops/openemr/crypto";
import type mysql from "mysql2/promise";
import { documentUrl, uuidText } from "../estate/documents.ts";
import type { Random } from "../estate/random.ts";
import { imageOwner } from "../estate/sites.ts";
import { phraseOf, sqlTime, textOf } from "../estate/words.ts";

/** What marks the rows of a round in tables that hold others too. */
export const roundMarks = { document: "live-", encounter: "live round ", logEvent: "live-round" } as const;
/** Entries of the ledger in one round; they sum to zero. */
export const entriesInRound = 4;

/** SHA3-512 over a log row's values in the order that OpenEMR's own tamper report uses; NULL counts as nothing. */
const logChecksum = (values: readonly (string | number | null)[]): string =>
  createHash("sha3-512")
    .update(values.map((value) => value ?? "").join(""))
    .digest("hex");

interface Round {
  readonly connection: mysql.Connection;
  readonly sitesPath: string;
  /** The site's database keys, for documents. */
  readonly keys: RawKeys;
  readonly patients: number;
  readonly random: Random;
  readonly now: Date;
}

/** Writes a document's file as OpenEMR does: in place, before any row speaks of it. */
const writeDocumentFile = async ({ sitesPath, keys, random, patients }: Round) => {
  const pid = 1 + random.int(patients);
  const uuid = random.bytes(16);
  const clear = Buffer.from(textOf(random, 20 + random.int(100)));
  const encrypted = random.chance(0.5);
  const directory = join(sitesPath, "default/documents", `${pid}`);
  const file = join(directory, uuidText(uuid));
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(file, encrypted ? encrypt(clear, { version: 7, keys, iv: random.bytes(16) }) : clear, {
    mode: 0o600,
  });
  if (process.getuid?.() === 0) {
    for (const path of made === undefined ? [file] : [directory, file])
      await chown(path, imageOwner.uid, imageOwner.gid);
  }
  const hash = createHash("sha3-512").update(clear).digest("hex");
  return { pid, uuid, path: `${pid}/${uuidText(uuid)}`, byteLength: clear.length, encrypted, hash };
};

const insert = async (
  connection: mysql.Connection,
  table: string,
  row: Readonly<Record<string, unknown>>,
): Promise<number> => {
  const [{ insertId }] = await connection.query<mysql.ResultSetHeader>("INSERT INTO ?? SET ?", [table, row]);
  return insertId;
};

const nextId = async (connection: mysql.Connection): Promise<number> => {
  const [{ insertId }] = await connection.query<mysql.ResultSetHeader>(
    "UPDATE sequences SET id = LAST_INSERT_ID(id + 1)",
  );
  return insertId;
};

/**
 * One round of the clinic's day, in one transaction: a visit, a document with its file, an audit entry, and entries in the ledger
 * that sum to zero and carry the next numbers. A round that fails leaves an orphan file at most, as in OpenEMR.
 */
export const writeRound = async (round: Round): Promise<void> => {
  const { connection, random, now } = round;
  const document = await writeDocumentFile(round);
  const at = sqlTime(now);
  const { pid } = document;
  await connection.beginTransaction();
  try {
    const [[head]] = await connection.query<mysql.RowDataPacket[]>(
      "SELECT last_entry, rounds FROM module_ledger_head WHERE id = 1 FOR UPDATE",
    );
    const number = Number(head?.rounds) + 1;
    const encounter = await nextId(connection);
    const documentId = await nextId(connection);
    await insert(connection, "form_encounter", {
      uuid: random.bytes(16),
      date: at,
      reason: `${roundMarks.encounter}${number}`,
      facility_id: 1,
      pid,
      encounter,
    });
    await insert(connection, "documents", {
      id: documentId,
      uuid: random.bytes(16),
      type: "file_url",
      size: document.byteLength,
      date: at,
      url: documentUrl(document.path),
      mimetype: "text/plain",
      owner: 1,
      foreign_id: pid,
      hash: document.hash,
      name: `${roundMarks.document}${number}`,
      drive_uuid: document.uuid,
      path_depth: 1,
      encrypted: document.encrypted ? 1 : 0,
    });
    await insert(connection, "categories_to_documents", { category_id: 2, document_id: documentId });
    const entry = {
      date: at,
      event: roundMarks.logEvent,
      category: "Patient Demographics",
      user: "clin-1",
      groupname: "Default",
      comments: Buffer.from(`visit ${number}: ${phraseOf(random)}`).toString("base64"),
      user_notes: "",
      patient_id: pid,
      success: 1,
      crt_user: "",
      log_from: "open-emr",
      menu_item_id: null,
      ccda_doc_id: null,
    };
    const logId = await insert(connection, "log", entry);
    await insert(connection, "log_comment_encrypt", {
      log_id: logId,
      encrypt: "No",
      checksum: logChecksum(Object.values(entry)),
      checksum_api: "",
      version: 4,
    });
    await insert(connection, "pnotes", { date: at, body: textOf(random, 2), pid, user: "clin-1", title: "Live" });

    const amounts = Array.from({ length: entriesInRound - 1 }, () => random.int(2_000) - 1_000);
    amounts.push(-amounts.reduce((sum, amount) => sum + amount, 0));
    let last = Number(head?.last_entry);
    for (const amount of amounts) {
      last++;
      await insert(connection, "module_ledger", {
        entry: last,
        round: number,
        amount,
        encounter,
        document_id: documentId,
        log_id: logId,
      });
    }
    await connection.query("UPDATE module_ledger_head SET last_entry = ?, rounds = ? WHERE id = 1", [last, number]);
    await connection.commit();
  } catch (error) {
    await connection.rollback().catch(() => undefined); // the connection may be gone; the server then rolls back itself
    throw error;
  }
};
