import { findTool } from "@openemr-ops/local/tools/findTool";

/**
 * Python with what a data scientist has in a notebook: pyarrow, DuckDB, pandas, matplotlib, boto3; and readers of databases for
 * the benchmark. `npm run tools -- --for test` installs it.
 */
export const analyticsPython = (): string => {
  const python = findTool("analytics-python");
  if (python === undefined) throw new Error("no Python for analytics: npm run tools -- --for test");
  return python;
};
