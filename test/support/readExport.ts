import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { analyticsPython } from "./analyticsPython.ts";

const script = fileURLToPath(new URL("./readExport.py", import.meta.url));
const run = (...words: readonly string[]): string =>
  execFileSync(analyticsPython(), [script, ...words], { encoding: "utf8", maxBuffer: 2 ** 29 });

/** All that an export contains, as text that can be searched: values, one a line, and the documents beside them. */
export const exportedText = (directory: string): string => run(directory);

/** The first value that DuckDB answers from the tables of an export. */
export const askExport = (directory: string, sql: string): string => run(directory, sql).trim();
