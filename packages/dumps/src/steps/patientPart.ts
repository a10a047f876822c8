import type { DumpPart, WantedRows } from "@openemr-ops/database/dumpPart";
import { documentFile } from "@openemr-ops/openemr/documentFile";
import { type PatientLink, patientColumns, patientLinks } from "@openemr-ops/openemr/patientRows";
import type { Manifest } from "../manifest.ts";

/** Where a patient's documents are, by the rows of `documents`. Paths are below a site's `documents` directory. */
export interface PatientDocuments {
  readonly files: readonly string[];
  /** Previews. One that is absent is no loss. */
  readonly thumbnails: readonly string[];
  /** Rows whose content is in CouchDB or in the row itself. */
  readonly elsewhere: number;
}

/** Finds the rows of one patient, in one reading of a dump's rows or several. */
export interface PatientPart {
  /** What to look for in the next reading; `undefined` when there is nothing more. */
  next(): DumpPart | undefined;
  documents(): PatientDocuments;
}

const documentColumns = ["type", "url", "thumb_url", "path_depth", "storagemethod", "couch_docid"] as const;
type DocumentRow = Readonly<Record<(typeof documentColumns)[number], string | null>>;

const isOnDisk = ({ type, storagemethod, couch_docid }: DocumentRow): boolean =>
  (type ?? "file_url") === "file_url" && Number(storagemethod ?? 0) === 0 && !couch_docid;

/**
 * First every row that holds the patient's number, and what hangs on one that has passed. What hangs on rows that come later
 * in the dump needs another reading, which ends behind the last such table.
 *
 * @param pid the patient's number, in digits
 */
export const patientPart = (pid: string, tables: Manifest["database"]["tables"]): PatientPart => {
  const nameOf = new Map(tables.map(({ name }) => [name.toLowerCase(), name]));
  const exact = new Set(tables.filter((table) => table.exact).map(({ name }) => name.toLowerCase()));
  const ids = new Map<PatientLink, Set<string>>(patientLinks.map((link) => [link, new Set<string>()]));
  const documents: DocumentRow[] = [];
  /** Tables whose rows have passed, or pass now. */
  const passed = new Set<string>();
  /** What hangs on rows that had not passed. */
  let later: PatientLink[] = [];
  let isFirst = true;

  const take = (table: string, anyOf: WantedRows["anyOf"]): WantedRows => {
    const children = patientLinks.filter(({ parent }) => parent === table);
    const columns = [
      ...children.map(({ parentColumn }) => parentColumn),
      ...children.map(({ where, parentColumn }) => where?.column ?? parentColumn),
      ...(table === "documents" ? documentColumns : []),
    ];
    return {
      anyOf,
      columns,
      onRow: (values) => {
        children.forEach((link, index) => {
          const [id, condition] = [values[index], values[children.length + index]];
          if (id && (!link.where || condition?.startsWith(link.where.begins))) ids.get(link)?.add(id);
        });
        const rest = values.slice(2 * children.length);
        if (table === "documents")
          documents.push(
            Object.fromEntries(documentColumns.map((column, index) => [column, rest[index] ?? null])) as DocumentRow,
          );
      },
    };
  };

  const linked = (links: readonly PatientLink[]): WantedRows["anyOf"] =>
    new Map(links.map((link) => [link.column, ids.get(link) ?? new Set<string>()]));

  const first: DumpPart = {
    select: (name, columns) => {
      const table = name.toLowerCase();
      passed.add(table);
      const own = patientColumns(name, columns);
      if (own.length > 0) return take(table, new Map(own.map((column) => [column, new Set([pid])])));
      const links = patientLinks.filter((link) => link.table === table && nameOf.has(link.parent));
      const ready = links.filter(({ parent }) => passed.has(parent) && !exact.has(parent));
      later.push(...links.filter((link) => !ready.includes(link)));
      return ready.length > 0 ? take(table, linked(ready)) : undefined;
    },
  };

  return {
    next: () => {
      if (isFirst) {
        isFirst = false;
        return first;
      }
      const now = later.filter((link) => (ids.get(link)?.size ?? 0) > 0);
      if (now.length === 0) return undefined;
      later = later.filter((link) => !now.includes(link));
      const names = now.flatMap(({ table }) => nameOf.get(table) ?? []);
      return {
        only: new Set(names),
        select: (name) => {
          const links = now.filter(({ table }) => table === name.toLowerCase());
          return links.length > 0 ? take(name.toLowerCase(), linked(links)) : undefined;
        },
      };
    },
    documents: () => {
      const here = documents.filter(isOnDisk);
      const files = here.map(({ url, path_depth }) => documentFile(url, path_depth));
      const thumbnails = here.flatMap(({ thumb_url, path_depth }) => documentFile(thumb_url, path_depth) ?? []);
      return {
        files: [...new Set(files.flatMap((path) => path ?? []))],
        thumbnails: [...new Set(thumbnails)],
        elsewhere: documents.length - here.length,
      };
    },
  };
};
