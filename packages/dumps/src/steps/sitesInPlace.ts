import { existsSync } from "node:fs";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DumpContext } from "../context.ts";
import type { Manifest } from "../manifest.ts";
import { otherDatabase, sitesOfDatabase } from "./inspect.ts";

/** Which sites of a tree a restore in place replaces: those whose rows the dump holds, or all that the tree holds. */
export type ReplacedSites = "own" | "all";

/**
 * A tree can hold sites of several databases, and a dump holds the rows of one: to replace the whole tree would take the
 * others' documents and keys back to the dump's moment, and not their rows.
 *
 * @throws {TargetUnsuitableError} refused: there are such sites, and nobody said what is to become of them
 */
export const assertSitesChosen = async (
  { sitesPath, database }: DumpContext,
  { openemr, warnings }: Manifest,
  chosen: ReplacedSites | undefined,
): Promise<void> => {
  if (chosen) return;
  const { warnings: here } = existsSync(sitesPath) ? await sitesOfDatabase(sitesPath, database) : { warnings: [] };
  const first = [...here, ...warnings].find(({ code }) => code === otherDatabase);
  if (!first) return;
  throw new TargetUnsuitableError(
    `the tree also holds sites of other databases, whose rows this dump does not hold (${first.message}): set sites to own, to replace only ${openemr.sites.join(", ")}, or to all, to replace the files of the others too`,
    { field: "sites" },
  );
};

/** Whether a restore leaves an entry of the tree's top directory where it is. */
export const isLeftAlone = ({ openemr }: Manifest, chosen: ReplacedSites | undefined) => {
  const own = new Set(openemr.sites.map((site) => Buffer.from(site).toString("latin1")));
  return (entry: string): boolean => chosen === "own" && !own.has(entry);
};
