import { createHash } from "node:crypto";
import { type Cell, type EstateTable, oneTo } from "../table.ts";
import { momentOf, phraseOf, sqlDate, sqlTime, textOf } from "../words.ts";

/** Where OpenEMR's image keeps the site's documents: rows name that place whatever the host calls it. */
export const documentUrl = (path: string): string =>
  `file:///var/www/localhost/htdocs/openemr/sites/default/documents/${path}`;

/** SHA3-512 over a log row's values in the order that OpenEMR's own tamper report uses; NULL counts as nothing. */
export const logChecksum = (values: readonly Cell[]): string =>
  createHash("sha3-512")
    .update(values.map((value) => value ?? "").join(""))
    .digest("hex");

const auditedTables = ["patient_data", "form_encounter", "lists", "billing", "prescriptions", "pnotes"];

export const recordTables: readonly EstateTable[] = [
  {
    name: "documents",
    columns: {
      id: "int NOT NULL DEFAULT 0",
      uuid: "binary(16) DEFAULT NULL",
      type: "enum('file_url','blob','web_url') DEFAULT NULL",
      size: "int DEFAULT NULL",
      date: "datetime DEFAULT NULL",
      url: "varchar(255) DEFAULT NULL",
      thumb_url: "varchar(255) DEFAULT NULL",
      mimetype: "varchar(255) DEFAULT NULL",
      owner: "int DEFAULT NULL",
      revision: "timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
      foreign_id: "bigint DEFAULT NULL",
      docdate: "date DEFAULT NULL",
      hash: "varchar(255) DEFAULT NULL",
      list_id: "bigint NOT NULL DEFAULT 0",
      name: "varchar(255) DEFAULT NULL",
      drive_uuid: "binary(16) DEFAULT NULL",
      couch_docid: "varchar(100) DEFAULT NULL",
      storagemethod: "tinyint NOT NULL DEFAULT 0",
      path_depth: "tinyint DEFAULT 1",
      encrypted: "tinyint NOT NULL DEFAULT 0",
      document_data: "mediumtext",
      deleted: "tinyint(1) NOT NULL DEFAULT 0",
    },
    keys: [
      "PRIMARY KEY (id)",
      "UNIQUE KEY uuid (uuid)",
      "UNIQUE KEY drive_uuid (drive_uuid)",
      "KEY foreign_id (foreign_id)",
    ],
    *rows({ documents }) {
      for (const { id, pid, uuid, name, mimetype, path, pathDepth, thumbnail, ...document } of documents) {
        yield [
          id,
          createHash("md5").update(uuid).digest(),
          "file_url",
          document.byteLength,
          sqlTime(document.at),
          documentUrl(path),
          thumbnail === undefined ? null : documentUrl(thumbnail),
          mimetype,
          1,
          sqlTime(document.at),
          pid,
          sqlDate(document.at),
          document.hash,
          0,
          name,
          uuid,
          null,
          0,
          pathDepth,
          document.encrypted ? 1 : 0,
          null,
          document.deleted ? 1 : 0,
        ];
      }
    },
  },
  {
    name: "categories_to_documents",
    columns: { category_id: "int NOT NULL DEFAULT 0", document_id: "int NOT NULL DEFAULT 0" },
    keys: ["PRIMARY KEY (category_id, document_id)"],
    *rows({ documents }) {
      for (const { id } of documents) yield [2 + (id % 5), id];
    },
  },
  {
    name: "onsite_documents",
    columns: {
      id: "int unsigned NOT NULL AUTO_INCREMENT",
      pid: "bigint unsigned DEFAULT NULL",
      create_date: "timestamp NOT NULL DEFAULT current_timestamp()",
      doc_type: "varchar(255) NOT NULL",
      patient_signed_status: "smallint unsigned NOT NULL",
      patient_signature: "text",
      full_document: "mediumblob",
      file_name: "varchar(255) NOT NULL",
      template_data: "longtext",
    },
    keys: ["PRIMARY KEY (id)"],
    *rows({ random, size }) {
      const own = random("onsite_documents");
      for (const id of oneTo(Math.ceil(size.patients / 20))) {
        const [pid, at] = [1 + own.int(size.patients), sqlTime(momentOf(own.next()))];
        const signature = `data:image/png;base64,${own.bytes(600).toString("base64")}`;
        const blob = own.chance(0.5) ? own.bytes(2_000 + own.int(6_000)) : null;
        yield [id, pid, at, "Consent", own.int(2), signature, blob, `consent-${id}.html`, textOf(own, 40)];
      }
    },
  },
  {
    name: "log",
    columns: {
      id: "bigint NOT NULL AUTO_INCREMENT",
      date: "datetime DEFAULT NULL",
      event: "varchar(255) DEFAULT NULL",
      category: "varchar(255) DEFAULT NULL",
      user: "varchar(255) DEFAULT NULL",
      groupname: "varchar(255) DEFAULT NULL",
      comments: "longtext",
      user_notes: "longtext",
      patient_id: "bigint DEFAULT NULL",
      success: "tinyint(1) DEFAULT 1",
      checksum: "longtext",
      crt_user: "varchar(255) DEFAULT NULL",
      log_from: "varchar(20) DEFAULT 'open-emr'",
      menu_item_id: "int DEFAULT NULL",
      ccda_doc_id: "int DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (id)", "KEY patient_id (patient_id)"],
    *rows({ random, size }) {
      const own = random("log");
      for (const id of oneTo(size.logRows)) {
        const table = own.pick(auditedTables);
        const statement = `UPDATE ${table} SET note = '${phraseOf(own)}', score = ${own.int(1e6)} WHERE id = ${own.int(1e6)}`;
        yield [
          id,
          sqlTime(momentOf(id / size.logRows)),
          `${own.pick(["patient-record", "scheduling", "order"])}-${own.pick(["select", "update", "insert"])}`,
          table,
          `clin-${1 + own.int(7)}`,
          "Default",
          Buffer.from(statement).toString("base64"),
          "",
          1 + own.int(size.patients),
          1,
          "",
          "",
          "open-emr",
          null,
          null,
        ];
      }
    },
  },
  {
    name: "log_comment_encrypt",
    columns: {
      id: "int NOT NULL AUTO_INCREMENT",
      log_id: "int NOT NULL",
      encrypt: "enum('Yes','No') NOT NULL DEFAULT 'No'",
      checksum: "longtext",
      checksum_api: "longtext",
      version: "tinyint NOT NULL DEFAULT 0",
    },
    keys: ["PRIMARY KEY (id)"],
    *rows({ random, size }) {
      const own = random("log_comment_encrypt");
      for (const id of oneTo(size.logRows)) yield [id, id, "No", own.bytes(64).toString("hex"), "", 4];
    },
  },
  {
    name: "uuid_registry",
    columns: {
      uuid: "binary(16) NOT NULL DEFAULT ''",
      table_name: "varchar(255) NOT NULL DEFAULT ''",
      table_id: "varchar(255) NOT NULL DEFAULT ''",
      created: "timestamp NULL DEFAULT NULL",
    },
    keys: ["PRIMARY KEY (uuid)"],
    *rows({ documents }) {
      for (const { uuid, at } of documents) yield [uuid, "documents", "", sqlTime(at)];
    },
  },
];
