import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { jobSamples } from "@openemr-ops/task/metrics/jobSamples";
import { addToMetricsFile, assertMetricsFile } from "@openemr-ops/task/metrics/metricsFile";
import { metricsListener } from "@openemr-ops/task/metrics/metricsListener";
import { mergeMetrics, parseMetrics, renderMetrics, type Sample } from "@openemr-ops/task/metrics/textfile";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";

const startedAt = "2026-11-20T12:00:00.000Z";
const ended = (changes: Partial<JobRecord> = {}): JobRecord =>
  aJobRecord({
    status: "succeeded",
    startedAt,
    endedAt: "2026-11-20T12:01:30.000Z",
    figures: { rows: 10, files: 3, databaseBytes: 2048, filesBytes: 512, warnings: 0, seconds: 90 },
    ...changes,
  });
const inFile = (samples: readonly Sample[]) =>
  renderMetrics(samples)
    .split("\n")
    .filter((line) => !/^#|^$/.test(line));

describe("the metrics of a job", () => {
  it("are those of a job that has ended", () => {
    expect(jobSamples(aJobRecord({ status: "running", startedAt }))).toEqual([]);
  });

  it("tell when it ended, how long it took, and what it got", () => {
    expect(inFile(jobSamples(ended()))).toEqual([
      'openemr_ops_job_last_run_timestamp_seconds{installation="clinic-a",kind="dump"} 1795176090',
      'openemr_ops_job_last_run_success{installation="clinic-a",kind="dump"} 1',
      'openemr_ops_job_last_run_duration_seconds{installation="clinic-a",kind="dump"} 90',
      'openemr_ops_job_last_success_timestamp_seconds{installation="clinic-a",kind="dump"} 1795176090',
      'openemr_ops_job_rows{installation="clinic-a",kind="dump"} 10',
      'openemr_ops_job_files{installation="clinic-a",kind="dump"} 3',
      'openemr_ops_job_database_bytes{installation="clinic-a",kind="dump"} 2048',
      'openemr_ops_job_files_bytes{installation="clinic-a",kind="dump"} 512',
      'openemr_ops_job_warnings{installation="clinic-a",kind="dump"} 0',
    ]);
  });

  it.each(["failed", "aborted"] as const)("leave those of the last success as they were when it %s", (status) => {
    const before = jobSamples(ended());
    const after = inFile(
      mergeMetrics(before, jobSamples(ended({ status, endedAt: "2026-11-21T12:00:00.000Z", figures: {} }))),
    );

    expect(after).toContain('openemr_ops_job_last_run_success{installation="clinic-a",kind="dump"} 0');
    expect(after).toContain(
      'openemr_ops_job_last_success_timestamp_seconds{installation="clinic-a",kind="dump"} 1795176090',
    );
    expect(after).toContain('openemr_ops_job_rows{installation="clinic-a",kind="dump"} 10');
    expect(after).toHaveLength(before.length);
  });

  it("say nothing of the restore of a part, which is none of a whole dump", () => {
    expect(jobSamples(ended({ kind: "restore", result: { part: "tables" } }))).toEqual([]);
  });

  it("of a copy stand beside those of the first destination", () => {
    const merged = inFile(mergeMetrics(jobSamples(ended()), jobSamples(ended({ status: "failed" }), 1)));

    expect(merged).toContain('openemr_ops_job_last_run_success{installation="clinic-a",kind="dump"} 1');
    expect(merged).toContain('openemr_ops_job_last_run_success{installation="clinic-a",kind="dump",copy="1"} 0');
  });

  it.each<[Partial<JobRecord>, boolean]>([
    [{ kind: "drill" }, true],
    [{ kind: "check", result: { level: "read-data" } }, true],
    [{ kind: "check", result: { level: "drill" } }, true],
    [{ kind: "check", result: { level: "objects" } }, false],
    [{ kind: "check", result: { level: "read-data", share: "1/7" } }, false],
    [{ kind: "drill", status: "failed" }, false],
    [{ kind: "dump" }, false],
  ])("have the time of a verification where all was read: %j", (changes, verified) => {
    const found = inFile(jobSamples(ended(changes))).includes(
      'openemr_ops_dump_last_verification_timestamp_seconds{installation="clinic-a"} 1795176090',
    );
    expect(found).toBe(verified);
  });
});

describe("the text of a metrics file", () => {
  const samples = fc.array(
    fc.record({
      name: fc.constantFrom("openemr_ops_job_rows", "openemr_ops_job_files"),
      labels: fc.record({
        installation: fc.string({ unit: fc.oneof(fc.constantFrom("\\", '"', "\n", ",", "}", " ", "\r"), fc.string()) }),
        kind: fc.string(),
      }),
      value: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    }),
  );
  const byText = (all: readonly Sample[]) => [...all].map((each) => JSON.stringify(each)).sort();

  it("gives back every value and label, whatever characters a label has", () => {
    fc.assert(
      fc.property(samples, (some) => {
        const once = mergeMetrics([], some);
        const read = parseMetrics(renderMetrics(once));
        expect(read && byText(read)).toEqual(byText(once));
      }),
    );
  });

  it("is one line a value, which nothing in a label can break", () => {
    fc.assert(
      fc.property(samples, (some) => {
        const once = mergeMetrics([], some);
        expect(inFile(once)).toHaveLength(once.length);
      }),
    );
  });

  it.each(["", "root:x:0:0\n", "# Written by openemr-ops after each job. Edits are lost.\nnode_up 1\n"])(
    "is known from others: %j",
    (text) => {
      expect(parseMetrics(text)).toBeUndefined();
    },
  );
});

describe("a metrics file", () => {
  let directory: string;
  let path: string;
  const now = () => new Date();
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "metrics-"));
    path = join(directory, "openemr-ops.prom");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const refusal = (at: string) => assertMetricsFile(at).catch((error: unknown) => error);

  it("that another program wrote is refused and stays", async () => {
    await writeFile(path, "node_up 1\n");

    expect(await refusal(path)).toMatchObject({ name: "InvalidInputError", issues: [{ path: "metricsFile" }] });
    await expect(addToMetricsFile(path, jobSamples(ended()), { now })).rejects.toThrow(InvalidInputError);
    expect(await readFile(path, "utf8")).toBe("node_up 1\n");
  });

  it.each([
    ["lies in a directory that is not there", async () => join(directory, "absent", "a.prom")],
    [
      "is a directory",
      async () => {
        await mkdir(path);
        return path;
      },
    ],
    [
      "is a pipe",
      async () => {
        await promisify(execFile)("mkfifo", [path]);
        return path;
      },
    ],
    [
      "leads to a directory",
      async () => {
        await symlink(directory, path);
        return path;
      },
    ],
  ])("is refused before a job when it %s", async (_, place) => {
    const at = await place();
    expect(await refusal(at)).toMatchObject({ name: "InvalidInputError", message: expect.stringContaining(at) });
  });

  it("keeps the values of jobs that end at the same time, is readable by all, and leaves nothing beside it", async () => {
    const kinds = ["dump", "drill", "check", "copy", "retention", "restore", "health", "redeploy"];
    const former = process.umask(0o077);
    try {
      await Promise.all(kinds.map((kind) => addToMetricsFile(path, jobSamples(ended({ kind })), { now })));
    } finally {
      process.umask(former);
    }

    const found = parseMetrics(await readFile(path, "utf8")) ?? [];
    expect(new Set(found.map(({ labels }) => labels.kind ?? "dump"))).toEqual(new Set(kinds));
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(directory)).toEqual(["openemr-ops.prom", "openemr-ops.prom.locks"]);
  });

  it("that cannot be written at a job's end is a warning that names it", async () => {
    const warnings: string[] = [];
    const config = { metricsFile: path };
    const listener = await metricsListener({ config, now, warn: (message) => warnings.push(message) }, { copy: 1 });
    await rm(directory, { recursive: true });
    await writeFile(directory, "");
    await listener?.(ended());

    expect(warnings).toEqual([expect.stringContaining(`the metrics in ${path} were not renewed (ENOTDIR)`)]);
    await rm(directory);
  });

  it.each(["", "# of another program\n"])(
    "that cannot be kept is a warning, and the job continues: %j",
    async (text) => {
      const warnings: string[] = [];
      if (text === "") await rm(directory, { recursive: true });
      else await writeFile(path, text);
      const config = { metricsFile: path };

      expect(await metricsListener({ config, now, warn: (message) => warnings.push(message) }, {})).toBeUndefined();
      expect(warnings).toEqual([expect.stringMatching(/^no metrics are kept: .*openemr-ops\.prom/s)]);
    },
  );

  it("is asked for by the configuration alone", async () => {
    expect(await metricsListener({ config: {}, now, warn: () => {} }, {})).toBeUndefined();
  });
});
