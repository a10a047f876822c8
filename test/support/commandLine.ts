import { runProgram } from "@openemr-ops/cli/program";
import type { Surroundings } from "@openemr-ops/cli/surroundings";
import type { Sink } from "@openemr-ops/cli/terminal";
import type { DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { Verdict } from "@openemr-ops/dumps/steps/verdict";
import type { Job, Operations } from "@openemr-ops/task/operations";

export const dumpId = "01K9ZV6T5W8QH3N2R4X7BCDEFG";
const takenAt = "2026-11-21T04:08:00.123Z";
const digest = "0".repeat(64);

const aDumpResult: DumpResult = {
  dumpId,
  complete: true,
  manifest: {
    version: 1,
    dumpId,
    installation: "clinic-a",
    format: "restic",
    purpose: "scheduled",
    startedAt: takenAt,
    takenAt,
    sealedAt: takenAt,
    openemr: { version: null, dockerVersion: null, timeZone: null, sites: ["default"] },
    server: { product: "MariaDB", version: "10.11.19", characterSet: "utf8mb4", collation: "utf8mb4_general_ci" },
    database: {
      name: "openemr",
      part: { kind: "snapshot", snapshotId: digest },
      byteLength: 2048,
      rows: 1_234_567,
      largestStatement: 100,
      tables: [],
      programs: [],
    },
    sites: { part: { kind: "snapshot", snapshotId: digest }, files: 3, directories: 1, byteLength: 10, vanished: 0 },
    keyProof: { status: "proven", sites: [], problems: [] },
    documents: {},
    warnings: [{ code: "documents-without-file", message: "2 rows of documents have no file" }],
    tools: {},
    seconds: 4.2,
    digest,
  },
  figures: { rows: 1_234_567, databaseBytes: 1536, seconds: 4.2 },
};

export const aVerdict: Verdict = {
  verdict: "passed",
  dumpId,
  takenAt,
  target: { database: "restored", sites: "/srv/restore" },
  tables: 5,
  rows: 10,
  files: 3,
  filesBytes: 2048,
  documents: 2,
  tableDigests: [],
  keyProof: "proven",
  differences: [],
  dropped: [],
  warnings: [],
  seconds: { database: 1, sites: 1, restore: 2, compare: 1 },
  next: ["start OpenEMR"],
};

export interface MemoryOperations extends Operations {
  /** What was asked, in order. */
  readonly asked: { readonly operation: string; readonly job: Job; readonly options: unknown }[];
}

/** Operations that succeed at once and remember what they were asked; `changes` replaces some. */
export const memoryOperations = (changes: Partial<Operations> = {}): MemoryOperations => {
  const asked: MemoryOperations["asked"] = [];
  const answer =
    <Result>(operation: string, result: Result) =>
    async (job: Job, options?: unknown): Promise<Result> => {
      asked.push({ operation, job, options });
      return result;
    };
  return {
    asked,
    takeDump: answer("takeDump", aDumpResult),
    listDumps: answer("listDumps", []),
    restoreDump: answer("restoreDump", aVerdict),
    planCloudSql: answer("planCloudSql", { dumpId, takenAt, command: "gcloud sql import sql INSTANCE gs://b/k" }),
    drillDump: answer("drillDump", aVerdict),
    checkDumps: answer("checkDumps", { level: "objects" as const, dumps: [dumpId], seconds: 1 }),
    checkDestination: answer("checkDestination", [{ check: "it answers", ok: true, milliseconds: 3, note: "" }]),
    applyRetention: answer("applyRetention", { dryRun: false, keep: [], expire: [], orphans: [] }),
    ...changes,
  };
};

/** A stream that keeps what is written to it. */
export const memorySink = (shape: Omit<Sink, "write"> = {}): Sink & { readonly text: () => string } => {
  let written = "";
  return {
    ...shape,
    write: (text) => {
      written += text;
    },
    text: () => written,
  };
};

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process with streams and operations in memory. */
export const runInMemory = async (
  argv: readonly string[],
  operations: Operations = memoryOperations(),
  changes: Partial<Surroundings> = {},
): Promise<Run> => {
  const stdout = memorySink();
  const stderr = memorySink();
  const exitCode = await runProgram({
    argv,
    cwd: "/nonexistent",
    environment: {},
    stdout,
    stderr,
    version: "1.2.3",
    now: () => new Date(takenAt),
    signal: new AbortController().signal,
    openOperations: async () => operations,
    openControlPlane: () => Promise.reject(new Error("not needed")),
    ...changes,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
};
