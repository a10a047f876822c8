import { join } from "node:path";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DumpContext } from "@openemr-ops/dumps/context";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import { contextFor, type DumpContextOptions } from "./dumpContext.ts";

export interface RoundTrip {
  readonly context: DumpContext;
  readonly manifest: Manifest;
  readonly verdict: Verdict;
  /** The restored schema and tree. */
  readonly restored: DatabaseAccess;
  readonly sites: string;
}

/**
 * Takes a dump and restores it beside its source, into schema `<name>_copy` and directory `copy/`.
 *
 * @param options.deferKeysFrom 0 makes all keys that can wait after the rows
 * @param options.dumps a portable set by default: it starts no other program, which matters in a property of many runs
 */
export const roundTrip = async ({
  deferKeysFrom,
  ...options
}: DumpContextOptions & Pick<DumpContext, "deferKeysFrom">): Promise<RoundTrip> => {
  const made = await contextFor({ dumps: { format: "portable", compression: "zstd" }, ...options });
  const context = { ...made, ...(deferKeysFrom === undefined ? {} : { deferKeysFrom }) };
  const { manifest } = await takeDump(context);
  const database = `${options.schema.name}_copy`;
  const sites = join(options.directory, "copy");
  const verdict = await restoreDump(context, { dump: manifest.dumpId, intoDatabase: database, intoSites: sites });
  return { context, manifest, verdict, restored: { ...context.restoreDatabase, name: database }, sites };
};
