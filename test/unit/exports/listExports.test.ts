import type { JobRecord } from "@openemr-ops/core/jobs";
import { listExports } from "@openemr-ops/exports/listExports";
import { describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { memoryDestination } from "../../support/memoryDestination.ts";
import { memoryJobs } from "../../support/memoryJobs.ts";

const [older, newer] = ["20261120T120000Z-00aaaaaa", "20261121T120000Z-00bbbbbb"];
const manifest = JSON.stringify({
  profile: "full",
  tables: [
    { table: "log", rows: 3, bytes: 100 },
    { table: "patient_data", rows: 4, bytes: 50 },
  ],
  skipped: [{ table: "keys", reason: "holds secrets alone" }],
});
const complete = (exportId: string) => ({
  [`database/${exportId}/openemr.log/part-00000.parquet`]: "rows",
  [`database/${exportId}/_manifest.json`]: manifest,
  [`database/${exportId}/_SUCCESS`]: "",
});

const aJob = (kind: string, at: string, changes: Partial<JobRecord> = {}): JobRecord =>
  aJobRecord({ kind, at: new Date(at), startedAt: at, status: "running", ...changes });

const list = async (
  stored: Readonly<Record<string, string>>,
  records: readonly JobRecord[] = [],
  held: Readonly<Record<string, string>> = {},
) => {
  const jobs = memoryJobs();
  for (const record of records) await jobs.save(record);
  return listExports({
    installation: "clinic-a",
    destination: memoryDestination(stored, { url: "s3://sagemaker/analytics" }),
    jobs,
    holder: async (resource) => held[resource],
  });
};

describe("the list of exports", () => {
  it("is empty where nothing is, and leaves out what is no export", async () => {
    expect(await list({})).toEqual([]);
    expect(await list({ "database/readme/_SUCCESS": "", "sites/default/documents/1": "x" })).toEqual([]);
  });

  it("has the newest first, with where the data is and what the manifest says", async () => {
    const listed = await list({ ...complete(older), ...complete(newer) });
    expect(listed.map(({ exportId }) => exportId)).toEqual([newer, older]);
    expect(listed[0]).toEqual({
      kind: "database",
      exportId: newer,
      startedAt: "2026-11-21T12:00:00.000Z",
      state: "complete",
      location: `s3://sagemaker/analytics/database/${newer}`,
      profile: "full",
      tables: 2,
      rows: 7,
      bytes: 150,
      skipped: [{ table: "keys", reason: "holds secrets alone" }],
    });
  });

  it("calls what has no _SUCCESS incomplete, and says why where a job's record does", async () => {
    const { [`database/${newer}/_SUCCESS`]: _, ...stored } = complete(newer);
    const failed = aJob("exportDatabase", "2026-11-21T11:59:59.900Z", {
      status: "failed",
      endedAt: "2026-11-21T12:03:00.000Z",
      error: { name: "DatabaseUnavailableError", message: "the connection broke" },
    });
    const other = aJob("exportDatabase", "2026-11-21T12:03:00.000Z", {
      status: "failed",
      endedAt: "2026-11-21T12:04:00.000Z",
      error: { name: "DestinationFullError", message: "full" },
    });
    const [unknown] = await list(stored);
    expect(unknown).toMatchObject({
      state: "incomplete",
      problem: expect.stringContaining("ended without completing it"),
    });
    const [told] = await list(stored, [failed, other]);
    expect(told).toMatchObject({
      state: "incomplete",
      jobId: failed.jobId,
      problem: "DatabaseUnavailableError: the connection broke",
    });
  });

  it("blames no job that was refused because another one ran, and none that was killed long before", async () => {
    const stored = { [`database/${newer}/openemr.log/part-00000.parquet`]: "rows" };
    const killed = aJob("exportDatabase", "2026-11-20T12:00:00.000Z");
    const job = aJob("exportDatabase", "2026-11-21T12:00:00.100Z");
    const refused = aJob("exportDatabase", "2026-11-21T12:00:00.200Z", {
      status: "failed",
      endedAt: "2026-11-21T12:00:00.300Z",
      error: { name: "InstallationBusyError", message: "held" },
    });
    const [running] = await list(stored, [killed, job, refused], { "export-database": job.jobId });
    expect(running).toMatchObject({ state: "running", jobId: job.jobId });
    const [incomplete] = await list(stored, [killed, job, refused]);
    expect(incomplete).toMatchObject({ state: "incomplete", jobId: job.jobId });
  });

  it("does not take a _SUCCESS of a table for that of the export", async () => {
    const [one] = await list({ [`database/${newer}/openemr.log/_SUCCESS`]: "" });
    expect(one?.state).toBe("incomplete");
  });

  it("calls an export running only while its job holds the lock", async () => {
    const stored = { [`database/${newer}/openemr.log/part-00000.parquet`]: "rows" };
    const job = aJob("exportDatabase", "2026-11-21T12:00:00.100Z");
    const [running] = await list(stored, [job], { "export-database": job.jobId });
    expect(running).toMatchObject({ exportId: newer, state: "running", jobId: job.jobId });
    expect(running).not.toHaveProperty("problem");
    const [killed] = await list(stored, [job]);
    expect(killed).toMatchObject({ exportId: newer, state: "incomplete" });
  });

  it("has a running job that has written nothing yet, and the export before it", async () => {
    const database = aJob("exportDatabase", "2026-11-22T12:00:00.000Z");
    const sites = aJob("exportSites", "2026-11-22T12:00:00.000Z");
    const held = { "export-database": database.jobId, "export-sites": sites.jobId };
    const listed = await list(complete(older), [database, sites], held);
    expect(listed.map(({ kind, exportId, state }) => [kind, exportId, state])).toEqual([
      ["database", null, "running"],
      ["sites", null, "running"],
      ["database", older, "complete"],
    ]);
  });

  it("says of an export of the sites that documents lie there in clear", async () => {
    const seal = { exportId: older, figures: { files: 12, bytes: 345, decrypted: 2 }, documents: "decrypted" };
    const stored = { "sites/_SUCCESS": JSON.stringify(seal) };
    expect(await list(stored, [])).toMatchObject([{ kind: "sites", documents: "decrypted" }]);
  });

  it("has one export of the sites, which each run renews, and a later one that failed", async () => {
    const stored = { "sites/_SUCCESS": JSON.stringify({ exportId: older, figures: { files: 12, bytes: 345 } }) };
    const made = aJob("exportSites", "2026-11-20T12:00:00.000Z", {
      status: "succeeded",
      endedAt: "2026-11-20T12:01:00.000Z",
      figures: { seconds: 60 },
      result: { exportId: older },
    });
    const failed = aJob("exportSites", "2026-11-21T12:00:00.000Z", {
      status: "failed",
      endedAt: "2026-11-21T12:01:00.000Z",
      error: { name: "SourceUnreadableError", message: "2 files cannot be read" },
    });
    expect(await list(stored, [made])).toEqual([
      {
        kind: "sites",
        exportId: older,
        startedAt: "2026-11-20T12:00:00.000Z",
        state: "complete",
        location: "s3://sagemaker/analytics/sites",
        files: 12,
        bytes: 345,
        seconds: 60,
        jobId: made.jobId,
      },
    ]);
    expect((await list(stored, [made, failed])).map(({ state, problem }) => [state, problem])).toEqual([
      ["incomplete", "SourceUnreadableError: 2 files cannot be read"],
      ["complete", undefined],
    ]);
    const seal = JSON.stringify({ exportId: newer, figures: { files: 12, bytes: 345, unreadable: 2 } });
    const listed = await list({ ...stored, "sites/_INCOMPLETE": seal }, [made, failed]);
    expect(listed.map(({ exportId, state, jobId }) => [exportId, state, jobId])).toEqual([
      [newer, "incomplete", failed.jobId],
      [older, "complete", made.jobId],
    ]);
  });

  it("does not break on a manifest or a _SUCCESS that somebody else wrote", async () => {
    const stored = { ...complete(newer), [`database/${newer}/_manifest.json`]: "{", "sites/_SUCCESS": "[1" };
    expect(await list(stored)).toMatchObject([{ exportId: newer, state: "complete", tables: 0 }]);
  });
});
