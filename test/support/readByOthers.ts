import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findTool } from "@openemr-ops/local/tools/findTool";
import { analyticsPython } from "./analyticsPython.ts";

export type ComparableRow = readonly (string | null)[];

/** A table as another's reader has it. */
export interface ReadTable {
  readonly types: Readonly<Record<string, string>>;
  /** In the forms that `readParquet.py` describes. */
  readonly rows: readonly ComparableRow[];
}

export interface ReadByOthers {
  readonly pyarrow: ReadTable;
  readonly duckdb: ReadTable;
  /** What Spark, Hive and Trino read with; by `npm run test:readers`, since it needs Java. */
  readonly parquetJava?: Pick<ReadTable, "rows">;
}

/** One answer for each line of input. */
const answersOf = (command: string, args: readonly string[], lines: readonly string[]): readonly unknown[] => {
  const input = lines.map((line) => `${line}\n`).join("");
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 2 ** 30, encoding: "utf8" });
  if (status !== 0) throw new Error(`the Parquet files cannot be read: ${stderr}`);
  const found = stdout.trimEnd();
  return found === "" ? [] : found.split("\n").map((line) => JSON.parse(line) as unknown);
};

const byJava = (directories: readonly string[]): readonly unknown[] => {
  const java = findTool("parquet-java");
  if (java === undefined) throw new Error("no parquet-java: npm run tools -- --for readers");
  return answersOf(java, [join(import.meta.dirname, "ReadParquet.java")], directories);
};

/** Reads the Parquet files of directories with pyarrow and with DuckDB, all in one process. */
export const readByOthers = (directories: readonly string[]): readonly ReadByOthers[] => {
  const lines = directories.map((directory) => JSON.stringify({ directory }));
  const read = answersOf(analyticsPython(), [join(import.meta.dirname, "readParquet.py")], lines) as ReadByOthers[];
  if (process.env.OPENEMR_OPS_READERS !== "all") return read;
  const java = byJava(directories) as Pick<ReadTable, "rows">[];
  return read.map((others, index) => ({ ...others, parquetJava: java[index] ?? { rows: [] } }));
};
