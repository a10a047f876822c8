import { randomBytes } from "node:crypto";
import { type NewKeySet, newKeySet } from "@openemr-ops/local/estate/newKeySet";
import { encrypt, type WritableKeyVersion } from "@openemr-ops/openemr/crypto";
import { aSqlconf, type TreeEntry } from "./sitesTree.ts";
import type { TestRow } from "./sqliteReader.ts";

/** A site `default` with keys, OAuth set, an encrypted setting and an encrypted document, ready to be broken by a test. */
export interface KeyedSite {
  readonly made: NewKeySet;
  readonly files: Record<string, TreeEntry>;
  readonly tables: Record<"keys" | "globals" | "documents", TestRow[]>;
}

const methods = "default/documents/logs_and_misc/methods";
const certificates = "default/documents/certificates";
export const driveKeyPath = (name: string): string => `${methods}/${name}`;
export const certificatePath = (name: string): string => `${certificates}/${name}`;

export const aKeyedSite = ({
  versions = [7],
  oauth = true,
}: {
  versions?: readonly WritableKeyVersion[];
  oauth?: boolean;
} = {}): KeyedSite => {
  const made = newKeySet(randomBytes, { versions, oauth });
  const version = versions.at(-1) ?? 7;
  const seal = (text: string, source: "drive" | "database") =>
    encrypt(Buffer.from(text), { version, keys: made.keys[source], iv: randomBytes(16) });
  const files: Record<string, TreeEntry> = {
    "default/sqlconf.php": aSqlconf(),
    [methods]: null,
    [certificates]: null,
    "default/documents/12/one": seal("the content of a document", "database"),
  };
  for (const [name, content] of Object.entries(made.driveFiles)) files[driveKeyPath(name)] = content;
  for (const [name, content] of Object.entries(made.certificateFiles)) files[certificatePath(name)] = content;
  return {
    made,
    files,
    tables: {
      keys: made.keysRows.map(({ name, value }, index) => ({ id: index + 1, name, value })),
      globals: [
        { gl_name: "SMTP_PASS", gl_index: 0, gl_value: seal("the mail password", "drive") },
        { gl_name: "openemr_name", gl_index: 0, gl_value: "007 Clinic" },
      ],
      documents: [
        aDocument({
          id: 1,
          url: "file:///var/www/localhost/htdocs/openemr/sites/default/documents/12/one",
          encrypted: 1,
        }),
      ],
    },
  };
};

/** A row of `documents` with a file on disk. */
export const aDocument = (row: TestRow): TestRow => ({
  id: 1,
  type: "file_url",
  size: 25,
  url: null,
  thumb_url: null,
  couch_docid: null,
  storagemethod: 0,
  path_depth: 1,
  encrypted: 0,
  deleted: 0,
  ...row,
});
