import { createHash } from "node:crypto";
import { closeSync, futimesSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { encrypt } from "@openemr-ops/openemr/crypto";
import type { EstatePlan } from "./plan.ts";
import type { Random } from "./random.ts";
import { momentOf, textOf } from "./words.ts";

/** One document: what its row says and where its file lies. */
export interface EstateDocument {
  readonly id: number;
  /** Patient; 0 for a document of the practice. */
  readonly pid: number;
  readonly uuid: Buffer;
  readonly name: string;
  readonly mimetype: string;
  /** File below the site's `documents`; `/` separates. */
  readonly path: string;
  /** How many directories of `path` count. */
  readonly pathDepth: number;
  readonly thumbnail?: string;
  readonly encrypted: boolean;
  readonly deleted: boolean;
  readonly at: Date;
  /** Of the content in clear. */
  readonly byteLength: number;
  /** SHA3-512 of the content in clear, lower-case hex. */
  readonly hash: string;
}

const kinds = [
  { extension: "txt", mimetype: "text/plain", weight: 3 },
  { extension: "xml", mimetype: "text/xml", weight: 2 },
  { extension: "pdf", mimetype: "application/pdf", weight: 3 },
  { extension: "jpg", mimetype: "image/jpeg", weight: 2 },
] as const;
type Kind = (typeof kinds)[number];
const wheel: readonly Kind[] = kinds.flatMap((kind) => Array<Kind>(kind.weight).fill(kind));

/** Names that people give to files and that programs trip over. */
export const oddNames: readonly string[] = [
  "letter of Tuesday.pdf",
  "Überweisung für Größe.txt",
  "検査結果.jpg",
  `it's "quoted".pdf`,
  "-rf.txt",
  "two\nlines.txt",
  "tab\there.txt",
  "back\\slash.xml",
  "percent%20sign&plus+.pdf",
  "$(not a command);`nor this`.txt",
  "*.txt",
  ".hidden",
  `${"long-".repeat(30)}name.pdf`,
];

export const uuidText = (uuid: Buffer): string =>
  uuid.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Where OpenEMR's image keeps the site's documents: rows name that place whatever the host calls it. */
export const documentUrl = (path: string): string =>
  `file:///var/www/localhost/htdocs/openemr/sites/default/documents/${path}`;

/** Content of about that many bytes: texts compress well, scans do not. */
const contentOf = (kind: Kind, bytes: number, random: Random): Buffer => {
  if (kind.extension === "txt") return Buffer.from(textOf(random, Math.ceil(bytes / 60)));
  if (kind.extension === "xml") {
    const entries = Math.ceil(bytes / 110);
    const lines = Array.from(
      { length: entries },
      (_, index) => `<entry n="${index}"><text>${textOf(random, 1).replace(/[<&"]/g, " ")}</text></entry>`,
    );
    return Buffer.from(`<?xml version="1.0"?>\n<record>\n${lines.join("\n")}\n</record>\n`);
  }
  const head = kind.extension === "pdf" ? "%PDF-1.4\n%âãÏÓ\n" : "\u00ff\u00d8\u00ff\u00e0JFIF";
  return Buffer.concat([Buffer.from(head, "latin1"), random.bytes(bytes)]);
};

const planDocument = (plan: EstatePlan, index: number) => {
  const random = plan.random(`document ${index}`);
  const kind = random.pick(wheel);
  const pid = random.chance(0.97) ? 1 + random.int(plan.size.patients) : 0;
  const uuid = random.bytes(16);
  const position = index / plan.size.documents;
  const odd = oddNames[index];
  const name = odd ?? `${kind.extension}-${random.int(1e6)}.${kind.extension}`;
  // Before names were UUIDs, the file had the document's own name.
  const fileName =
    odd !== undefined || position < 0.05 ? `${odd === undefined ? `${index}-` : ""}${name}` : uuidText(uuid);
  const path = pid > 0 ? `${pid}/${fileName}` : `00/${random.int(20)}/${fileName}`;
  // Half are small, a few are ten times the mean.
  const bytes = Math.max(1, Math.floor(plan.size.documentBytes * 0.55 * (0.1 + -Math.log(1 - random.next()) * 1.6)));
  const encrypted = odd === undefined && position > 0.1 && random.chance(0.7);
  const isImage = kind.extension === "jpg" && odd === undefined;
  return {
    random,
    kind,
    bytes,
    version: position < 0.5 ? (6 as const) : (7 as const),
    row: {
      id: plan.encounters + 1 + index,
      pid,
      uuid,
      name,
      mimetype: kind.mimetype,
      path,
      pathDepth: pid > 0 ? 1 : 2,
      ...(isImage ? { thumbnail: join(dirname(path), `th_${uuidText(uuid)}`) } : {}),
      encrypted,
      deleted: random.chance(0.02),
      at: momentOf(position),
    },
  };
};

/**
 * Writes every document's file, and thumbnail where there is one, below `directory`; the rows follow from what it returns.
 * Files carry the document's time as their mtime.
 */
export const writeDocuments = async (plan: EstatePlan, directory: string): Promise<readonly EstateDocument[]> => {
  const made = new Set<string>();
  const write = (path: string, content: Buffer | string, at: Date): void => {
    const file = join(directory, path);
    if (!made.has(dirname(file))) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      made.add(dirname(file));
    }
    const handle = openSync(file, "w", 0o600);
    try {
      writeFileSync(handle, content, "latin1");
      futimesSync(handle, at, at);
    } finally {
      closeSync(handle);
    }
  };

  const documents: EstateDocument[] = [];
  for (let index = 0; index < plan.size.documents; index++) {
    const { row, kind, bytes, random, version } = planDocument(plan, index);
    const content = contentOf(kind, bytes, random);
    const seal = (clear: Buffer) => encrypt(clear, { version, keys: plan.keySet.keys.database, iv: random.bytes(16) });
    write(row.path, row.encrypted ? seal(content) : content, row.at);
    if (row.thumbnail !== undefined) {
      const small = random.bytes(200);
      write(row.thumbnail, row.encrypted ? seal(small) : small, row.at);
    }
    const hash = createHash("sha3-512").update(content).digest("hex");
    documents.push({ ...row, byteLength: content.length, hash });
    if (index % 200 === 199) await breathe();
  }
  return documents;
};
