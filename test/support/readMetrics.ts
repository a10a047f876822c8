import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { analyticsPython } from "./analyticsPython.ts";

export interface ReadSample {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What Prometheus' own client reads in a metrics file. */
export const readMetrics = async (path: string): Promise<readonly ReadSample[]> => {
  const script = join(repositoryRoot, "test/support/readMetrics.py");
  return JSON.parse((await promisify(execFile)(analyticsPython(), [script, path])).stdout);
};
