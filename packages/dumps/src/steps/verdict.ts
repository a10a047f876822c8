import { KeyPairError, notAllRestoredCode, RestoredDataDiffersError } from "@openemr-ops/core/errors";
import type { Manifest } from "../manifest.ts";
import type { Dropped } from "../staging/stagedTree.ts";
import type { NotRestored } from "../store/notRestored.ts";
import type { Comparison } from "./compare.ts";

/** Outcome of a restore or a drill, with its evidence. */
export interface Verdict {
  readonly verdict: "passed" | "failed";
  readonly dumpId: string;
  readonly takenAt: string;
  readonly target: { readonly database: string; readonly sites: string };
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  readonly filesBytes: number;
  readonly documents: number;
  /** Row counts and digests, table by table. */
  readonly tableDigests: readonly {
    readonly table: string;
    readonly rows: number;
    readonly sha256: string;
    readonly equal: boolean;
  }[];
  readonly keyProof: "proven" | "incomplete" | "failed";
  readonly differences: Comparison["differences"];
  /** What the dump carried and no restore makes: rights that no document needs, devices, pipes, sockets. */
  readonly dropped: readonly Dropped[];
  /** What the dump has and this machine did not let us set; the content of every file is restored. */
  readonly notRestored: readonly NotRestored[];
  /** What the source itself already lacked. */
  readonly warnings: Manifest["warnings"];
  readonly seconds: {
    readonly database: number;
    readonly sites: number;
    readonly restore: number;
    readonly compare: number;
  };
  /** What a person does next. */
  readonly next: readonly string[];
}

/** Owners of the dump that could not be set do not matter where the target has an owner of its own, and it was set. */
export const withoutSet = (
  notRestored: Verdict["notRestored"],
  { ownersSet }: { readonly ownersSet: boolean },
): Verdict["notRestored"] => notRestored.filter(({ kind }) => !(ownersSet && kind === "owner"));

export const verdictOf = (
  manifest: Manifest,
  target: Verdict["target"],
  comparison: Comparison,
  seconds: Verdict["seconds"],
  next: readonly string[],
  { dropped = [], notRestored = [] }: Partial<Pick<Verdict, "dropped" | "notRestored">> = {},
): Verdict => {
  const different = new Set(
    comparison.differences.filter(({ kind }) => kind === "table").map(({ subject }) => subject),
  );
  const { differences, keyProof, tables, rows, files, filesBytes, documents } = comparison;
  return {
    verdict: differences.length === 0 ? "passed" : "failed",
    dumpId: manifest.dumpId,
    takenAt: manifest.takenAt,
    target,
    tables,
    rows,
    files,
    filesBytes,
    documents,
    keyProof,
    differences,
    tableDigests: manifest.database.tables.map(({ name, rows: count, sha256 }) => ({
      table: name,
      rows: count,
      sha256,
      equal: !different.has(name),
    })),
    dropped,
    notRestored,
    warnings: manifest.warnings,
    seconds,
    next,
  };
};

/**
 * A copy that differs is a failure; the message names the first differences, keys before all others: without them a copy
 * of every row and file is still lost.
 *
 * @throws {KeyPairError} keys are among what was lost
 * @throws {RestoredDataDiffersError} everything else
 */
export const assertPassed = (verdict: Pick<Verdict, "dumpId" | "differences">): void => {
  const { keys = [], others = [] } = Object.groupBy(verdict.differences, ({ kind }) =>
    kind === "keys" ? "keys" : "others",
  );
  const differences = [...keys, ...others];
  if (differences.length === 0) return;
  const first = differences.slice(0, 5).map(({ kind, subject, message }) => `${kind} ${subject}: ${message}`);
  const text = `the restored copy of dump ${verdict.dumpId} differs in ${differences.length} points: ${first.join("; ")}`;
  throw keys.length > 0 ? new KeyPairError(text) : new RestoredDataDiffersError(text);
};

/** Exit status of a restore that ended with this verdict. */
export const statusOf = ({ notRestored }: Pick<Verdict, "notRestored">): number =>
  notRestored.length > 0 ? notAllRestoredCode : 0;
