import type { Readable } from "node:stream";
import { IntegrityError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { inBlocks } from "@openemr-ops/files/byteSink";
import type { PartReader } from "./dumpPart.ts";
import type { LoadableDump } from "./loadableDump.ts";
import { type StreamDigest, sqlScanner } from "./sqlScanner.ts";

/**
 * Reads a part of a dump stream and loads nothing: `part` knows afterwards what it holds.
 *
 * @throws {IntegrityError} fatal: the stream is cut, or none of ours
 */
export const readPart = async (
  { database }: LoadableDump,
  stream: Readable,
  part: PartReader,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: ReportProgress },
): Promise<StreamDigest> => {
  const keyed = new Map(database.tables.map((table) => [table.name, table.keyed]));
  const refusal = (message: string) => new IntegrityError(message);
  const scanner = sqlScanner((name) => keyed.get(name) ?? true, part.handler({}), refusal);
  let bytes = 0;
  for await (const chunk of inBlocks(stream)) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > database.byteLength) throw refusal("the database dump holds more bytes than its manifest says");
    await scanner.push(chunk);
    if (part.enough()) break;
    progress({ step: "read", bytes, totalBytes: database.byteLength, rows: scanner.rows() });
  }
  const digest = scanner.finish();
  if (!digest.complete && !part.enough()) throw refusal("the database dump ends before its end mark");
  return digest;
};
