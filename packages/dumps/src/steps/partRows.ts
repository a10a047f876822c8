import type { Readable } from "node:stream";
import { IntegrityError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { type DumpPart, type PartReader, partReader, type TakenTable } from "@openemr-ops/database/dumpPart";
import type { LoadableDump } from "@openemr-ops/database/loadableDump";
import { loadDatabase } from "@openemr-ops/database/loadDatabase";
import { readPart } from "@openemr-ops/database/readPart";
import { programSections, type StreamDigest } from "@openemr-ops/database/sqlScanner";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { type WholeRows, wholeRows } from "./wholeRows.ts";

type DumpedTable = Manifest["database"]["tables"][number];

/** Rows of a dump that were loaded, or only read. */
export interface PartRows {
  /** As the manifest has them; of a table that was taken in part, with its own figures. */
  readonly tables: readonly DumpedTable[];
  /** Of whole tables that the manifest of an earlier release does not cover whole. */
  readonly wholeRows: readonly WholeRows[];
}

const longestHead = 2 ** 20;

/** The dump as far as the server has to take it. @param part.id tells an interrupted load of the same part from others */
const loadable = (manifest: Manifest, id: string, only: ReadonlySet<string> | undefined): LoadableDump => {
  const { database, server } = manifest;
  const tables = database.tables.filter(({ name }) => !only || only.has(name));
  const longest = Math.max(0, ...tables.map(({ byteLength }) => byteLength)) + longestHead;
  return {
    dumpId: id,
    server,
    database: {
      byteLength: database.byteLength,
      largestStatement: Math.min(database.largestStatement, longest),
      tables,
      programs: [],
      collations: database.collations?.filter(({ table }) => !only || only.has(table)),
    },
  };
};

/** The stream is the dump's, as far as it was read: whoever can write to the destination may have put another there. */
const assertStored = (manifest: Manifest, stream: StreamDigest, taken: readonly TakenTable[]): readonly WholeRows[] => {
  const names = new Set(taken.map(({ name }) => name));
  const tables = manifest.database.tables.filter(({ name }) => names.has(name));
  const stored = new Map(stream.tables.map((table) => [table.name, table]));
  if (manifest.database.rowRule === "all")
    for (const { name, rows, sha256 } of tables)
      if (stored.get(name)?.rows !== rows || stored.get(name)?.sha256 !== sha256)
        throw new IntegrityError(`the stored dump holds other rows of table ${name} than its manifest says`);
  const whole = wholeRows({ ...manifest, database: { ...manifest.database, tables } }, stream);
  const some = new Set(taken.flatMap(({ name, some }) => (some ? [name] : [])));
  return whole.filter(({ name }) => !some.has(name));
};

/**
 * Reads a part of a dump's rows as often as it takes, and loads it where a schema is given. Interrupted, the same call goes
 * on: tables that were whole are not loaded again.
 *
 * @param next what to look for in each reading; `undefined` ends it
 * @throws {IntegrityError} fatal: the stored rows are not those of the manifest
 * @throws what `loadDatabase` throws
 */
export const takeRows = async (
  context: DumpContext,
  manifest: Manifest,
  next: () => DumpPart | undefined,
  into?: { readonly access: DatabaseAccess; readonly id: string },
): Promise<PartRows> => {
  const { store, signal, progress, tools, deferKeysFrom } = context;
  const tables: DumpedTable[] = [];
  const whole: WholeRows[] = [];
  for (let part = next(); part; part = next()) {
    const reader: PartReader = partReader(part, manifest.database.tables);
    const dump = loadable(manifest, into?.id ?? manifest.dumpId, part.only);
    let stream: StreamDigest | undefined;
    const consume = async (stored: Readable) => {
      stream = into
        ? await loadDatabase(into.access, dump, stored, {
            ...{ mariadb: tools.mariadb, signal, progress, deferKeysFrom },
            skip: programSections,
            part: reader,
          })
        : await readPart(dump, stored, reader, { signal, progress });
    };
    await store.readDatabase(manifest.database.part, consume, { signal, progress });
    if (!stream) throw new IntegrityError("the database half of the dump was not read");
    const taken = reader.taken();
    whole.push(...assertStored(manifest, stream, taken));
    for (const { name, some } of taken) {
      const dumped = manifest.database.tables.find((table) => table.name === name);
      if (dumped) tables.push(some ? { ...dumped, ...some, meaningSha256: undefined } : dumped);
    }
  }
  return { tables, wholeRows: whole };
};
