import { lstat } from "node:fs/promises";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { TableCatalogue } from "@openemr-ops/database/catalogue";
import { connectReadOnly } from "@openemr-ops/database/connection";
import { type DatabaseDump, dumpDatabase } from "@openemr-ops/database/dumpDatabase";
import type { TableDigest } from "@openemr-ops/database/sqlScanner";
import { newProblems } from "@openemr-ops/openemr/keyProof";
import { isExcluded } from "@openemr-ops/openemr/sitesLayout";
import { walkTree } from "@openemr-ops/openemr/walkTree";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { entryOnDisk, listingDifferences, type TreeListing, treeListing } from "../store/treeListing.ts";
import { inspect } from "./inspect.ts";
import type { WholeRows } from "./wholeRows.ts";

/** Which table, file count or key of a restored copy is not as the manifest says. */
export interface Difference {
  readonly kind: "table" | "structure" | "programs" | "files" | "keys" | "documents";
  readonly subject: string;
  readonly message: string;
}

export interface Comparison {
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  readonly filesBytes: number;
  readonly documents: number;
  /** `proven`, or what the source itself already lacked. */
  readonly keyProof: "proven" | "incomplete" | "failed";
  readonly differences: readonly Difference[];
}

interface TreeCounts {
  readonly files: number;
  readonly byteLength: number;
  readonly listing: TreeListing;
}

/** Counts of a tree, as the dump counted: regular files, no links, no caches, no markers of running containers. */
const countTree = async (root: string): Promise<TreeCounts> => {
  const counts = { files: 0, byteLength: 0 };
  const listing = treeListing();
  for await (const { path, absolute } of walkTree(root, isExcluded)) {
    const stats = await lstat(absolute);
    listing.add(entryOnDisk(path, stats));
    if (!stats.isFile()) continue;
    counts.files++;
    counts.byteLength += stats.size;
  }
  return { ...counts, listing: listing.finish() };
};

type DumpedTable = Manifest["database"]["tables"][number];
type DumpedProgram = Manifest["database"]["programs"][number];

const seriesOf = (product: string, version: string): string => `${product} ${version.split(".").slice(0, 2).join(".")}`;

type Meanings = DatabaseDump["meanings"];

/** What the stored dump itself says, and the manifest of an earlier release does not; a restore finds it as it loads. */
export interface StoredEvidence {
  /** What the programs say. */
  readonly meanings?: Meanings | undefined;
  /** Of tables that the manifest does not cover whole. */
  readonly wholeRows?: readonly WholeRows[] | undefined;
  /** What the stored tree holds. */
  readonly listed?: TreeListing | undefined;
}

/** A restored schema, and whether its server has the same words for things as the source's. */
interface Copy extends DatabaseDump {
  readonly sameSeries: boolean;
}

/** Of JSON with a DECIMAL no copy has the same text, but one that means the same. */
const hasOtherRows = (dumped: Pick<DumpedTable, "sha256" | "meaningSha256">, copy: TableDigest): boolean =>
  copy.sha256 !== dumped.sha256 && (dumped.meaningSha256 === undefined || copy.meaningSha256 !== dumped.meaningSha256);

/** Dumps of earlier releases have no `meaning`. */
const hasOtherDetails = (dumped: NonNullable<DumpedTable["catalogue"]>, copy: TableCatalogue): boolean =>
  copy.details !== dumped.details && (copy.meaning ?? copy.details) !== (dumped.meaning ?? dumped.details);

/**
 * What is the same for MariaDB and MySQL is always compared; the rest, where the servers are of one series. Dumps of earlier
 * releases only have the statement's text, which MySQL prints otherwise as soon as it was given explicitly.
 */
const hasOtherStructure = (table: DumpedTable, { source, digest, catalogue, sameSeries }: Copy): boolean => {
  const copy = catalogue.get(table.name);
  const texts = digest.tables.find(({ name }) => name === table.name)?.structureForms ?? [];
  const otherText = sameSeries && source.product === "MariaDB" && !texts.includes(table.structureSha256);
  if (!table.catalogue) return otherText;
  const sequence = source.tables.some(({ name, sequence }) => sequence && name === table.name);
  return (
    copy?.structure !== table.catalogue.structure ||
    (sameSeries && hasOtherDetails(table.catalogue, copy)) ||
    (sequence && otherText)
  );
};

/** @param loaded what the dump's own programs say, where the manifest of an earlier release does not tell */
const hasOtherMeaning = (program: DumpedProgram, { digest, meanings }: Copy, loaded: Meanings | undefined): boolean => {
  const { section, sha256, meaningSha256 = loaded?.get(section) } = program;
  return meaningSha256
    ? meanings.get(section) !== meaningSha256
    : digest.programs.find((copy) => copy.section === section)?.sha256 !== sha256;
};

/** The rows and structure of a restored schema against the manifest's tables: nothing else may be there. */
export const compareTables = async (
  context: DumpContext,
  access: DatabaseAccess,
  manifest: Manifest,
  { meanings, wholeRows = [] }: StoredEvidence,
): Promise<readonly Difference[]> => {
  const whole = new Map(wholeRows.map((table) => [table.name, table]));
  const { byteLength, rows, rowRule } = manifest.database;
  // The copy's SQL can be a few bytes longer or shorter than the dump's; its rows are as many.
  const totals = { step: "compare", totalBytes: byteLength, ...(rowRule === "all" ? { totalRows: rows } : {}) };
  const restored = await dumpDatabase(access, () => undefined, {
    mariadbDump: context.tools.mariadbDump,
    stallSeconds: context.stallSeconds,
    now: context.now,
    signal: context.signal,
    ourCopy: true,
    exact: new Set(manifest.database.tables.filter(({ exact }) => exact).map(({ name }) => name)), // as it was dumped
    progress: ({ step: _, ...event }) =>
      context.progress({ ...event, ...totals, bytes: Math.min(event.bytes ?? 0, byteLength) }),
  });
  context.progress({
    ...totals,
    bytes: byteLength,
    rows: restored.digest.tables.reduce((sum, { rows }) => sum + rows, 0),
  });
  const differences: Difference[] = [];
  const found = new Map(restored.digest.tables.map((table) => [table.name, table]));
  const { product, serverVersion } = restored.source;
  const sameSeries = seriesOf(product, serverVersion) === seriesOf(manifest.server.product, manifest.server.version);
  const schema: Copy = { ...restored, sameSeries };
  for (const dumped of manifest.database.tables) {
    const table = { ...dumped, ...whole.get(dumped.name) };
    const copy = found.get(table.name);
    found.delete(table.name);
    if (!copy) differences.push({ kind: "table", subject: table.name, message: "is absent" });
    else if (copy.rows !== table.rows)
      differences.push({
        kind: "table",
        subject: table.name,
        message: `has ${copy.rows} rows, the dump ${table.rows}`,
      });
    else if (hasOtherRows(table, copy))
      differences.push({
        kind: "table",
        subject: table.name,
        message: `has the right ${table.rows} rows by number, but others by content`,
      });
    else if (hasOtherStructure(table, schema))
      differences.push({ kind: "structure", subject: table.name, message: "has other columns, keys or options" });
  }
  for (const name of found.keys()) differences.push({ kind: "table", subject: name, message: "is not in the dump" });
  if (sameSeries)
    for (const program of manifest.database.programs) {
      if (program.section !== "events" && hasOtherMeaning(program, schema, meanings))
        differences.push({
          kind: "programs",
          subject: program.section,
          message: restored.meanings.has(program.section) ? "differ from those of the dump" : "are absent",
        });
    }
  return differences;
};

/**
 * Compares a restored copy with the manifest: every row by digest, files by number, size, name, mode and owner, keys by
 * opening them, documents by looking for their files. What the source already lacked is no difference.
 *
 * @param sitesPath the restored tree
 * @param options.programs false where routines, triggers and views are not loaded yet
 * @param options.meanings, wholeRows and listed: see {@link StoredEvidence}
 * @param options.tree files, bytes and listing, where they were just read and nobody could change them since
 */
export const compareRestored = async (
  context: DumpContext,
  access: DatabaseAccess,
  sitesPath: string,
  manifest: Manifest,
  {
    programs = true,
    tree: counted,
    listed,
    ...stored
  }: StoredEvidence & { programs?: boolean; tree?: TreeCounts | undefined } = {},
): Promise<Comparison> => {
  const differences = (await compareTables(context, access, manifest, stored)).filter(
    ({ kind }) => programs || kind !== "programs",
  );
  const tree = counted ?? (await countTree(sitesPath));
  if (tree.files !== manifest.sites.files || tree.byteLength !== manifest.sites.byteLength)
    differences.push({
      kind: "files",
      subject: "sites",
      message: `${tree.files} files with ${tree.byteLength} bytes, the dump has ${manifest.sites.files} with ${manifest.sites.byteLength}`,
    });
  else if (listed)
    for (const message of await listingDifferences(sitesPath, tree.listing, listed))
      differences.push({ kind: "files", subject: "sites", message });
  await using connection = await connectReadOnly(access);
  const { keyProof, documents, noTables } = await inspect(sitesPath, manifest.openemr.sites, connection);
  const dumped = new Set(manifest.database.tables.map(({ name }) => name));
  for (const name of noTables.filter((one) => dumped.has(one)))
    differences.push({
      kind: "table",
      subject: name,
      message: "is a view, which was not looked into; the dump has a table",
    });
  for (const { site, message } of newProblems(manifest.keyProof, keyProof))
    differences.push({ kind: "keys", subject: `site ${site}`, message: message.replace(`site ${site}: `, "") });
  for (const [site, counts] of Object.entries(documents)) {
    const before = manifest.documents[site];
    for (const what of ["missing", "empty", "notEncrypted"] as const)
      if (counts[what] > (before?.[what] ?? 0))
        differences.push({
          kind: "documents",
          subject: `site ${site}`,
          message: `${counts[what]} rows of documents have a ${what === "missing" ? "missing file" : what === "empty" ? "file that is empty" : "file that is not encrypted"}, ${before?.[what] ?? 0} had at the source`,
        });
  }
  return {
    tables: manifest.database.tables.length,
    rows: manifest.database.rows,
    files: tree.files,
    filesBytes: tree.byteLength,
    documents: Object.values(documents).reduce((sum, { rows }) => sum + rows, 0),
    keyProof: keyProof.status,
    differences,
  };
};
