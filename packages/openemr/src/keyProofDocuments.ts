import { join } from "node:path";
import { decrypt, type KeySet, type KeyVersion, versionOf } from "./crypto.ts";
import { documentFile } from "./documentFile.ts";
import type { KeyProblem } from "./keyProof.ts";
import { readStart } from "./siteFiles.ts";
import { baseTable, columnsOf, type SqlReader, shortened } from "./sqlReader.ts";

/** Encrypted documents that were tried, and how many of them opened. */
export interface DocumentSamples {
  readonly sampled: number;
  readonly opened: number;
}

/** Larger documents are not read for a sample. Bytes in clear; the file is a third longer. */
const largestSample = 4 << 20;
const candidatesAtEachEnd = 16;
const triesOfEachVersion = 3;

/**
 * Opens one encrypted document of each key version that the oldest and the newest documents show, with database keys.
 * Only when several of one version do not open is that a problem of keys; one alone is a damaged file.
 */
export const documentKeyProblems = async ({
  sitesPath,
  site,
  database,
  keys,
}: {
  sitesPath: string;
  site: string;
  database: SqlReader;
  keys: KeySet;
}): Promise<{ samples: DocumentSamples; problems: readonly KeyProblem[] }> => {
  const tries = new Map<KeyVersion, { sampled: number; opened: number }>();
  for (const file of await candidates(database)) {
    const path = join(sitesPath, site, "documents", file);
    const prefix = (await readStart(path, "an encrypted document", 3))?.toString("latin1");
    const version = versionOf(prefix ?? "");
    if (version === undefined) continue;
    const tried = tries.get(version) ?? { sampled: 0, opened: 0 };
    if (tried.opened > 0 || tried.sampled >= triesOfEachVersion) continue;
    const content = await readStart(path, "an encrypted document", 2 * largestSample);
    if (content === undefined || content.length === 2 * largestSample) continue; // gone, or too large after all
    const { opened } = decrypt(content.toString("latin1"), keys, "database");
    tries.set(version, { sampled: tried.sampled + 1, opened: tried.opened + (opened ? 1 : 0) });
  }
  const all = [...tries.values()];
  return {
    samples: {
      sampled: all.reduce((sum, { sampled }) => sum + sampled, 0),
      opened: all.reduce((sum, { opened }) => sum + opened, 0),
    },
    problems: [...tries]
      .filter(([, { opened }]) => opened === 0)
      .map(([version, { sampled }]) => ({
        code: "document-does-not-open",
        site,
        subject: `documents of version ${version}`,
        message: `site ${site}: ${sampled} encrypted document(s) of version ${version} do not open with the database keys`,
      })),
  };
};

/** Paths below `documents` of the oldest and the newest encrypted documents. */
const candidates = async (database: SqlReader): Promise<readonly string[]> => {
  const columns = await columnsOf(database, "documents");
  if (!["id", "url", "type", "encrypted", "size"].every((column) => columns.has(column))) return [];
  const conditions = ["type = 'file_url'", "encrypted = 1", `(size IS NULL OR size <= ${largestSample})`];
  if (columns.has("storagemethod")) conditions.push("storagemethod = 0");
  if (columns.has("deleted")) conditions.push("deleted = 0");
  const depth = columns.has("path_depth") ? "path_depth" : "1";
  const select = (direction: "ASC" | "DESC") =>
    database.rows(
      `SELECT ${shortened("url", 4096)} AS url, ${depth} AS depth FROM ${baseTable("documents")} WHERE ${conditions.join(" AND ")} ORDER BY id ${direction} LIMIT ${candidatesAtEachEnd}`,
    );
  const rows = [...(await select("DESC")), ...(await select("ASC"))];
  return [...new Set(rows.flatMap(({ url, depth: levels }) => documentFile(url ?? null, levels ?? null) ?? []))];
};
