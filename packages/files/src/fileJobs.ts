import { rename } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { JobRecord, JobStore } from "@openemr-ops/core/jobs";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import * as z from "zod";
import { readState, replaceFile, stateFailure, stateFiles } from "./stateFiles.ts";

const Stored = z.object({
  jobId: z.string().regex(ulidPattern),
  kind: z.string(),
  installation: z.string(),
  status: z.enum(["requested", "running", "succeeded", "failed", "aborted"]),
  dryRun: z.boolean(),
  requestedAt: z.string(),
  startedAt: z.string().exactOptional(),
  endedAt: z.string().exactOptional(),
  figures: z.record(z.string(), z.number()).exactOptional(),
  result: z.record(z.string(), z.string()).exactOptional(),
  error: z.object({ name: z.string(), message: z.string() }).exactOptional(),
}) satisfies z.ZodType<JobRecord>;

export interface FileJobsSettings {
  readonly directory: string;
  readonly now: () => Date;
  /** Told when a record's file cannot be read and is set aside. */
  readonly warn?: (message: string) => void;
}

/** Job records in a directory, one file a job, replaced whole; a file that is not a record is set aside with a warning. */
export const fileJobs = ({ directory, now, warn = () => undefined }: FileJobsSettings): JobStore => {
  const pathOf = (jobId: string): string => join(directory, `${jobId}.json`);

  const setAside = async (path: string): Promise<void> => {
    warn(`the job record ${path} is not readable as one; set aside as ${path}.damaged`);
    await rename(path, `${path}.damaged`).catch((error: unknown) => {
      if (systemCodeOf(error) !== "ENOENT") throw stateFailure(error, path);
    });
  };

  const get = async (jobId: string): Promise<JobRecord | undefined> => {
    if (!ulidPattern.test(jobId)) return undefined;
    const path = pathOf(jobId);
    const text = await readState(path);
    if (!text) return undefined;
    try {
      const record = Stored.parse(JSON.parse(text.toString()));
      if (record.jobId === jobId) return record;
    } catch {
      // no record
    }
    await setAside(path);
    return undefined;
  };

  const save = async (record: JobRecord): Promise<void> => {
    const issues = Stored.safeParse(record).error?.issues ?? [];
    if (issues.length > 0) {
      throw new InvalidInputError(issues.map(({ path, message }) => ({ path: path.join("."), message })));
    }
    await replaceFile(pathOf(record.jobId), `${JSON.stringify(record, null, 2)}\n`);
  };

  const list = async (installation: string, limit = Number.POSITIVE_INFINITY): Promise<readonly JobRecord[]> => {
    const ids = (await stateFiles(directory, now()))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length))
      .sort()
      .reverse();
    const records: JobRecord[] = [];
    for (const jobId of ids) {
      if (records.length >= limit) break;
      const record = await get(jobId);
      if (record?.installation === installation) records.push(record);
    }
    return records;
  };

  return { save, get, list };
};
