import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { failingJobs } from "@openemr-ops/task/notified";
import { afterAll, beforeAll, expect, it } from "vitest";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "notified-"));
});
afterAll(() => rm(directory, { recursive: true }));

const copy = (hour: number, result: JobRecord["result"]): JobRecord => ({
  jobId: "01K9ZV6T5W8QH3N2R4X7BC0000",
  kind: "copy",
  installation: "clinic-a",
  status: "failed",
  dryRun: false,
  requestedAt: `2026-11-20T${hour}:00:00.000Z`,
  endedAt: `2026-11-20T${hour}:30:00.000Z`,
  ...(result ? { result } : {}),
});

it("a success ends the failure of its own place alone: of one copy, of a place that is not listed, or of a job that did not begin", async () => {
  const failing = failingJobs(directory);
  const records = [
    copy(10, undefined),
    copy(11, { copy: "1", destination: "file:///mnt/one" }),
    copy(12, { copy: "2" }),
    copy(13, { destination: "file:///mnt/offsite" }),
  ];
  for (const record of records) await failing.note(record);

  for (const record of [...records].reverse()) {
    expect(await failing.recover(record)).toBe(record.endedAt);
    expect(await failing.recover(record)).toBeUndefined();
  }
});
