import { spawnSync } from "node:child_process";
import { join } from "node:path";
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
}

/** Reads the Parquet files of directories with pyarrow and with DuckDB, all in one process. */
export const readByOthers = (directories: readonly string[]): readonly ReadByOthers[] => {
  const { status, stdout, stderr } = spawnSync(analyticsPython(), [join(import.meta.dirname, "readParquet.py")], {
    input: directories.map((directory) => `${JSON.stringify({ directory })}\n`).join(""),
    maxBuffer: 2 ** 30,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the Parquet files cannot be read: ${stderr}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ReadByOthers);
};
