import { DatabaseDumpFailedError } from "@openemr-ops/core/errors";
import { awaitReader, type ByteSink, inBlocks } from "@openemr-ops/files/byteSink";
import { type Child, startChild } from "@openemr-ops/files/child";
import { clientArguments, clientEnvironment, type DatabaseAccess } from "./access.ts";
import { dumpCompleted, everyRun, namedTables } from "./dumpText.ts";
import { databaseError } from "./errors.ts";
import { portableSql } from "./portableSql.ts";

/** A dump program that reads tables of one snapshot. */
export interface TablesDump {
  readonly child: Child;
  /** Settles when the snapshot stands, or the program has ended before. */
  readonly standing: Promise<unknown>;
}

/** Starts mariadb-dump on these tables and no others; at least one, or it would take all. */
export const startTablesDump = async (
  access: DatabaseAccess,
  tables: readonly string[],
  { mariadbDump, signal }: { readonly mariadbDump: string; readonly signal: AbortSignal },
): Promise<TablesDump> => {
  const snapshot = Promise.withResolvers<void>();
  const child = startChild(
    mariadbDump,
    [
      ...clientArguments(access),
      ...everyRun,
      "--single-transaction",
      "--quick",
      "--order-by-primary",
      "--skip-triggers",
      "--verbose",
      ...namedTables(access, tables),
    ],
    {
      environment: await clientEnvironment(access),
      signal,
      onErrorLine: (line) => {
        if (line.startsWith("-- Retrieving ")) snapshot.resolve();
      },
    },
  );
  awaitReader(child.stdout);
  return { child, standing: Promise.race([snapshot.promise, child.ended]) };
};

/**
 * Hands on what the program prints; its last line only when it ended well.
 *
 * @param table the one under way, for messages
 * @param stopped says after each block, and at the end, why to stop before the program's own end; throws to stop
 * @throws the `Database…Error` family
 */
export const copyTablesDump = async (
  { child }: TablesDump,
  emit: ByteSink,
  table: () => string | undefined,
  stopped: () => void,
): Promise<void> => {
  let held: Buffer = Buffer.alloc(0); // until more comes: its end may be that of the dump
  let first = true;
  for await (const block of inBlocks(child.stdout)) {
    const chunk = first ? Buffer.from(portableSql(block.toString("latin1"), ""), "latin1") : block;
    first = false;
    if (chunk.length < dumpCompleted.length) held = Buffer.concat([held, chunk]);
    else {
      if (held.length > 0) await emit(held);
      held = chunk;
    }
    stopped();
  }
  const rest = held.subarray(0, -dumpCompleted.length);
  if (rest.length > 0) await emit(rest);
  const end = await child.ended;
  stopped();
  const errors = end.errors
    .split("\n")
    .filter((line) => !line.startsWith("-- "))
    .join("\n");
  const doing = table() ? `dump of table ${table()}` : "dump of the tables";
  if (end.code !== 0)
    throw databaseError(doing, errors.trim() || `mariadb-dump ended by ${end.signal ?? `exit status ${end.code}`}`);
  const tail = held.subarray(rest.length);
  if (tail.toString() !== dumpCompleted)
    throw new DatabaseDumpFailedError(`${doing}: the end mark is missing, the dump was cut`);
  await emit(tail);
};
