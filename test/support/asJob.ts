import { join } from "node:path";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { type DumpResult, type TakeDumpOptions, takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import { runJob } from "@openemr-ops/jobs/runJob";
import { dumpReport } from "@openemr-ops/task/programs/dump";

/** Takes a dump as the command line does: under a record and locks in the context's state directory. */
export const dumpAsJob = async (context: DumpContext, options?: TakeDumpOptions): Promise<DumpResult> => {
  const { now, warn, signal, installation, destination } = context;
  const settings = (name: string) => ({ directory: join(context.stateDirectory, name), now, warn });
  const ports = { now, warn, signal, jobs: fileJobs(settings("jobs")), locks: fileLocks(settings("locks")) };
  const { result } = await runJob(installation, { kind: "dump", dryRun: false }, ports, async (running) => {
    const taken = await takeDump({ ...context, signal: running }, options);
    return { result: taken, report: dumpReport(taken, destination.url) };
  });
  return result;
};
