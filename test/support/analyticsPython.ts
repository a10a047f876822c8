import { findTool } from "@openemr-ops/local/tools/findTool";

/**
 * Python with what a data scientist has in a notebook: pyarrow, DuckDB, pandas, matplotlib, boto3. `npm run tools -- --for test` installs it.
 */
export const analyticsPython = (): string => {
  const python = findTool("analytics-python");
  if (python === undefined) throw new Error("no Python for analytics: npm run tools -- --for test");
  return python;
};

/** The same with what the benchmark of the export compares with. `npm run tools -- --for bench` installs it. */
export const benchPython = (): string => {
  const python = findTool("bench-python");
  if (python === undefined) throw new Error("no Python for benchmarks: npm run tools -- --for bench");
  return python;
};
