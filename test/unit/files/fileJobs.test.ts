import { mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jobContract } from "../../contract/jobs.ts";
import { aJobRecord } from "../../support/aJobRecord.ts";

let base: string;
let count = 0;
const now = () => new Date("2026-11-20T12:00:00Z");
const freshDirectory = () => join(base, String(count++), "jobs");
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "file-jobs-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

jobContract("a directory", async () => fileJobs({ directory: freshDirectory(), now }));

describe("job records in a directory", () => {
  it("are for their owner alone, one file each", async () => {
    const directory = freshDirectory();
    const record = aJobRecord();
    await fileJobs({ directory, now }).save(record);

    expect(await readdir(directory)).toEqual([`${record.jobId}.json`]);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, `${record.jobId}.json`))).mode & 0o777).toBe(0o600);
  });

  it.each([
    { what: "empty", text: "" },
    { what: "cut short", text: '{"jobId":"01K' },
    { what: "not a record", text: "[1,2]" },
    { what: "another job's", text: JSON.stringify(aJobRecord()) },
  ])("are set aside and named when a file is $what, and the others still count", async ({ text }) => {
    const directory = freshDirectory();
    const warnings: string[] = [];
    const jobs = fileJobs({ directory, now, warn: (message) => warnings.push(message) });
    const good = aJobRecord({ at: new Date("2026-11-20T11:00:00Z") });
    const { jobId } = aJobRecord({ at: new Date("2026-11-20T11:30:00Z") });
    await jobs.save(good);
    await writeFile(join(directory, `${jobId}.json`), text);

    expect(await jobs.list("clinic-a")).toEqual([good]);
    expect(await jobs.get(jobId)).toBeUndefined();
    expect(await readdir(directory)).toContain(`${jobId}.json.damaged`);
    expect(warnings).toEqual([expect.stringContaining(`${jobId}.json.damaged`)]);
  });

  it("take no notice of what a crash left, and remove it after a day", async () => {
    const directory = freshDirectory();
    const jobs = fileJobs({ directory, now });
    await jobs.save(aJobRecord());
    await writeFile(join(directory, ".new-old"), "{");
    await writeFile(join(directory, ".new-young"), "{");
    await utimes(join(directory, ".new-old"), now(), new Date("2026-11-19T11:59:00Z"));
    await utimes(join(directory, ".new-young"), now(), now());

    expect(await jobs.list("clinic-a")).toHaveLength(1);
    expect((await readdir(directory)).filter((name) => name.startsWith("."))).toEqual([".new-young"]);
  });

  it("refuse a record that breaks the contract, naming the field", async () => {
    const directory = freshDirectory();
    const wrong = { ...aJobRecord(), jobId: "../escape", status: "done" } as unknown as JobRecord;

    await expect(fileJobs({ directory, now }).save(wrong)).rejects.toMatchObject({
      issues: [{ path: "jobId" }, { path: "status" }],
    });
    await expect(readdir(directory)).rejects.toThrow("ENOENT");
  });

  it("name the setting when their directory cannot be written to", async () => {
    const file = join(base, "a-file");
    await writeFile(file, "");
    const saving = fileJobs({ directory: join(file, "jobs"), now }).save(aJobRecord());

    await expect(saving).rejects.toThrow(InvalidInputError);
    await expect(saving).rejects.toThrow(/^stateDirectory: /);
  });
});
