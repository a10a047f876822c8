import type { ControlPlane } from "@openemr-ops/cli/controlPlane";
import type { ConfigFile } from "@openemr-ops/core/config/schema";
import { ControlPlaneAccessDeniedError, ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { JobEnding, JobKey, JobRecord } from "@openemr-ops/core/jobs";
import { describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { dumpId, memoryOperations, type Run, runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";
import { type MemoryJobLedger, memoryJobLedger } from "../../support/memoryJobLedger.ts";

/** What the command line runs at; see `runInMemory`. */
const now = new Date("2026-11-21T04:08:00.123Z");

const stateMachine = (name: string): string => `arn:aws:states:eu-central-1:123456789012:stateMachine:${name}`;

interface MemoryStage extends ControlPlane {
  readonly ledger: MemoryJobLedger;
  readonly started: { readonly stateMachineArn: string; readonly name: string; readonly input: unknown }[];
  readonly stages: string[];
}

/** A control plane in memory where the workflows of clinic-a are deployed. */
const aStage = (): MemoryStage => {
  const started: MemoryStage["started"] = [];
  return {
    ledger: memoryJobLedger(),
    started,
    stages: [],
    executions: {
      find: async (name) => (name.includes("-clinic-a-") ? stateMachine(name) : undefined),
      start: async (request) => {
        started.push({ ...request });
        return {
          executionArn: `${request.stateMachineArn.replace("stateMachine", "execution")}:${request.name}`,
          started: true,
        };
      },
    },
  };
};

const two: ConfigFile = aConfig(anInstallation(), {
  ...anInstallation({ id: "clinic-b" }),
  dumps: { ...anInstallation().dumps, destination: "file:///srv/backups/clinic-b" },
});

const run = async (
  argv: readonly string[],
  stage: MemoryStage = aStage(),
  changes: Parameters<typeof runInMemory>[2] = {},
): Promise<Run> =>
  runInMemory(argv, memoryOperations(), {
    openControlPlane: async (name) => {
      stage.stages.push(name);
      return stage;
    },
    pause: async () => undefined,
    ...changes,
  });

const dumpJob = { installation: "clinic-a", jobId: dumpId };
const ofClinicA = ["--installation", "clinic-a"];

const ending = (changes: Partial<JobEnding> = {}): JobEnding => ({
  status: "succeeded",
  endedAt: "2026-11-20T12:03:12.000Z",
  figures: { rows: 1234567, databaseBytes: 1536 },
  result: { dumpId },
  ...changes,
});

const aRecord = (changes: Partial<JobRecord> = {}): JobRecord => aJobRecord({ jobId: dumpId, ...changes });

describe("openemr-ops run", () => {
  it.each([
    ["dump", "DumpInstallation", {}],
    ["drill", "RestoreDrill", {}],
    ["RestoreDrill", "RestoreDrill", { dump: dumpId }],
    ["check", "CheckRepository", { level: "read-data", share: "1/7" }],
    ["restore", "RestoreInstallation", { dump: "latest", intoDatabase: "restored", intoSites: "/srv/restore" }],
  ])("starts the workflow for %s, and says how to watch it", async (workflow, name, input) => {
    const stage = aStage();
    const ended = await run(["run", workflow, "--installation", "clinic-a", "--input", JSON.stringify(input)], stage);

    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
    const jobId = stage.started[0]?.name ?? "";
    expect(jobId).toMatch(ulidPattern);
    expect(stage.started).toEqual([
      { stateMachineArn: stateMachine(`openemr-ops-production-clinic-a-${name}`), name: jobId, input },
    ]);
    expect(ended.stdout).toBe(
      `${name} of clinic-a is started as job ${jobId}.\nTo watch it: openemr-ops watch ${jobId} --installation clinic-a\n`,
    );
  });

  it("takes the stage from the command line, else from the environment, else production", async () => {
    const stage = aStage();
    const argv = ["run", "dump", "--installation", "clinic-a", "--dry-run", "--json"];
    const inEnvironment = { environment: { OPENEMR_OPS_STAGE: "staging" } };
    await run(argv, stage);
    await run(argv, stage, inEnvironment);
    const ended = await run([...argv, "--stage", "dev-anna"], stage, inEnvironment);

    expect(stage.stages).toEqual(["production", "staging", "dev-anna"]);
    expect(stage.started.map(({ input }) => input)).toEqual([{ dryRun: true }, { dryRun: true }, { dryRun: true }]);
    expect(JSON.parse(ended.stdout)).toEqual({
      jobId: stage.started[2]?.name,
      kind: "dump",
      installation: "clinic-a",
      stage: "dev-anna",
      execution: expect.stringContaining(":execution:openemr-ops-dev-anna-clinic-a-DumpInstallation:"),
    });
    expect((await run(argv, stage, { environment: { OPENEMR_OPS_STAGE: "Dev" } })).exitCode).toBe(2);
  });

  it("takes the installation from the input or the configuration, and refuses to guess", async () => {
    await using directory = await aConfigDirectory();
    const stage = aStage();
    expect((await run(["run", "dump", "--input", '{"installation":"clinic-a"}'], stage)).exitCode).toBe(0);
    expect((await run(["run", "dump", "--config", await directory.write(aConfig())], stage)).exitCode).toBe(0);
    expect(stage.started).toHaveLength(2);

    const guess = await run(["run", "dump", "--config", await directory.write(two)], stage);
    expect(guess.exitCode).toBe(2);
    expect(guess.stderr).toContain("installation: is missing; expected one of clinic-a, clinic-b");
    expect(stage.started).toHaveLength(2);
  });

  it.each([
    [["run", "dumb"], "workflow"],
    [["run"], "workflow"],
    [["run", "dump", "--input", "{"], "--input"],
    [["run", "dump", "--input", "[]"], "--input"],
    [["run", "dump", "--input", '{"level":"objects"}'], "--input: level"],
    [["run", "dump", "--input", '{"installation":"clinic-b"}'], "--input: installation"],
    [["run", "check", "--input", '{"share":"8/7"}'], "--input: share"],
    [["run", "restore", "--input", '{"dump":"latest"}'], "--input: intoDatabase"],
    [["run", "dump", "--stage", "Production"], "--stage"],
  ])("ends with 2 and names the field before anything starts: %j", async (argv, path) => {
    const stage = aStage();
    const ended = await run([...argv, "--installation", "clinic-a", "--json"], stage);

    expect(ended.exitCode).toBe(2);
    expect(JSON.stringify(JSON.parse(ended.stdout).error.issues)).toContain(path);
    expect(stage.started).toEqual([]);
  });

  it("says what is not deployed", async () => {
    const ended = await run(["run", "dump", "--installation", "clinic-x"]);

    expect(ended.exitCode).toBe(4);
    expect(ended.stderr).toContain("ControlPlaneMissingError");
    expect(ended.stderr).toContain("openemr-ops-production-clinic-x-DumpInstallation");
  });

  it("asks before a restore in place, and starts nothing on a no", async () => {
    const stage = aStage();
    const argv = ["run", "restore", "--installation", "clinic-a", "--input", '{"dump":"latest","inPlace":true}'];
    const refused = await run(argv, stage, { ask: async () => false });
    expect(refused.exitCode).toBe(4);
    expect(stage.started).toEqual([]);

    const questions: string[] = [];
    const ask = async (question: string) => questions.push(question) > 0;
    expect((await run(argv, stage, { ask })).exitCode).toBe(0);
    expect((await run([...argv, "--dry-run"], stage, { ask })).exitCode).toBe(0);
    expect(questions).toEqual(["This replaces the live database and sites of clinic-a. Continue?"]);
    expect(stage.started).toHaveLength(2);
  });

  it("follows the job to its end with --wait, and ends as the job did", async () => {
    const stage = aStage();
    let looks = 0;
    const pause = async () => {
      const jobId = stage.started[0]?.name ?? "";
      looks += 1;
      if (looks === 1) await stage.ledger.create(aRecord({ jobId }));
      else
        await stage.ledger.end(
          { installation: "clinic-a", jobId },
          ending({ status: "failed", error: { name: "IntegrityError", message: "a byte" } }),
        );
    };
    const ended = await run(["run", "dump", "--installation", "clinic-a", "--wait", "--json"], stage, { pause });

    expect(ended.exitCode).toBe(6);
    expect(JSON.parse(ended.stdout)).toMatchObject({ jobId: stage.started[0]?.name, status: "failed" });
    expect(ended.stderr).toContain("DumpInstallation of clinic-a is started as job");
  });
});

describe("openemr-ops watch", () => {
  it("shows steps as they come, then the end with figures and result", async () => {
    const stage = aStage();
    await stage.ledger.create(aRecord());
    const happenings = [
      () => stage.ledger.note(dumpJob, { name: "begun", by: "workflow", at: "2026-11-20T12:00:00.000Z" }),
      () =>
        stage.ledger.note(dumpJob, {
          name: "database",
          by: "container",
          at: "2026-11-20T12:01:00.000Z",
          figures: { bytes: 1536 },
        }),
      () =>
        stage.ledger.note(dumpJob, {
          name: "database",
          by: "container",
          at: "2026-11-20T12:02:00.000Z",
          figures: { bytes: 3072 },
        }),
      () =>
        stage.ledger.note(dumpJob, {
          name: "sites",
          by: "container",
          at: "2026-11-20T12:03:00.000Z",
          figures: { files: 3, vanished: 1 },
        }),
      () => stage.ledger.end(dumpJob, ending()),
    ];
    let seconds = 0;
    const ended = await run(["watch", dumpId, ...ofClinicA], stage, {
      pause: async () => void (await happenings.shift()?.()),
      now: () => new Date(now.getTime() + 60_000 * seconds++),
    });

    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toMatch(
      /^\S+Z begun\n\S+Z database: 1\.5 KiB\n2026-11-21T04:11:00Z database: 3\.0 KiB.*\n\S+Z sites: 3 files\n$/,
    );
    expect(ended.stdout).toBe(
      `Job ${dumpId} (dump of clinic-a): succeeded after 3 min 12 s\n  dumpId  ${dumpId}\n  rows           1,234,567\n  database size  1.5 KiB\n`,
    );
  });

  it.each([
    ["InvalidInputError", 2],
    ["DumpNotFoundError", 3],
    ["DatabaseUnavailableError", 4],
    ["InstallationBusyError", 5],
    ["KeyPairError", 6],
    ["States.Something", 4],
    ["OpsError", 4],
    ["toOpsError", 4],
  ])("ends with the exit status of the job's error: %s", async (name, exitCode) => {
    const stage = aStage();
    await stage.ledger.create(aRecord());
    await stage.ledger.end(dumpJob, { status: "failed", endedAt: now.toISOString(), error: { name, message: "why" } });
    const ended = await run(["watch", dumpId, ...ofClinicA], stage);

    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stdout).toContain(`  ${name}: why\n`);
  });

  it("says that there is no such job after half a minute, not before", async () => {
    let pauses = 0;
    const pause = async () => void pauses++;
    const ended = await run(["watch", "01K9ZV6T5W8QH3N2R4X7BCDEFG", ...ofClinicA], aStage(), { pause });

    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("stage production has no job 01K9ZV6T5W8QH3N2R4X7BCDEFG");
    expect(pauses).toBe(14);
  });

  it("goes on watching when the control plane does not answer for a while", async () => {
    const stage = aStage();
    await stage.ledger.create(aRecord());
    await stage.ledger.end(dumpJob, ending());
    const failures = Array.from({ length: 20 }, () => new ControlPlaneUnavailableError("away"));
    const get = async (job: JobKey) => {
      const failure = failures.shift();
      if (failure) throw failure;
      return stage.ledger.get(job);
    };
    const ended = await run(["watch", dumpId, ...ofClinicA], { ...stage, ledger: { ...stage.ledger, get } });
    expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("warning: away") });

    const get2 = () => Promise.reject(new ControlPlaneAccessDeniedError("refused"));
    const refused = await run(["watch", dumpId, ...ofClinicA], { ...stage, ledger: { ...stage.ledger, get: get2 } });
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("ControlPlaneAccessDeniedError") });
  });

  it("says that the job goes on when a person stops watching", async () => {
    const stage = aStage();
    await stage.ledger.create(aRecord());
    const pause = () => Promise.reject(new Error("aborted"));
    const ended = await run(["watch", dumpId, ...ofClinicA, "--stage", "staging"], stage, { pause });

    expect(ended.exitCode).toBe(4);
    expect(ended.stderr).toContain(`openemr-ops watch ${dumpId} --installation clinic-a --stage staging`);
  });

  it("refuses what cannot name a job", async () => {
    const ended = await run(["watch", "../etc/passwd"]);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("expected 1 to 80 letters");
  });
});

describe("openemr-ops jobs", () => {
  it("lists the jobs of all installations, newest first, with how they ended", async () => {
    await using directory = await aConfigDirectory();
    const stage = aStage();
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 12, minute));
    const records = [
      aJobRecord({ jobId: "job-1", at: at(0) }),
      aJobRecord({ jobId: "job-2", at: at(1), installation: "clinic-b", kind: "drill", dryRun: true }),
      aJobRecord({ jobId: "job-3", at: at(2) }),
      aJobRecord({ jobId: "job-4", at: at(3), installation: "clinic-z" }),
    ];
    for (const record of records) await stage.ledger.create(record);
    await stage.ledger.end({ installation: "clinic-a", jobId: "job-1" }, ending());
    await stage.ledger.end(
      { installation: "clinic-b", jobId: "job-2" },
      {
        status: "failed",
        endedAt: "2026-11-20T12:02:00.000Z",
        error: { name: "IntegrityError", message: `a byte ${"x".repeat(200)}` },
      },
    );
    await stage.ledger.note(
      { installation: "clinic-a", jobId: "job-3" },
      { name: "database", by: "container", at: "2026-11-20T12:04:00.000Z" },
    );

    const config = await directory.write(two);
    const ended = await run(["jobs", "--config", config], stage);
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout.split("\n")).toEqual([
      "job    installation  kind             status     requested at                took  remarks",
      "job-3  clinic-a      dump             running    2026-11-20 12:02:00Z              database",
      expect.stringMatching(
        /^job-2 {2}clinic-b {6}drill \(dry run\) {2}failed {5}2026-11-20 12:01:00Z {2} +1 min 0 s {2}IntegrityError: a byte x+…$/,
      ),
      `job-1  clinic-a      dump             succeeded  2026-11-20 12:00:00Z  3 min 12 s  ${dumpId}`,
      "",
    ]);
    const one = await run(["jobs", "--installation", "clinic-a", "--limit", "1", "--json"], stage);
    expect(JSON.parse(one.stdout).map(({ jobId }: JobRecord) => jobId)).toEqual(["job-3"]);
    expect((await run(["jobs", "--installation", "clinic-c"], stage)).stdout).toContain("has run no job of clinic-c");
    expect((await run(["jobs", "--limit", "0"], stage)).exitCode).toBe(2);
  });
});

describe("openemr-ops schedules", () => {
  const scheduled = anInstallation({
    schedules: {
      dump: { cron: "30 2 * * *", timeZone: "Europe/Berlin", deadlineMinutes: 60 },
      drill: { cron: "0 4 * * 0" },
      check: { cron: "0 1 1 * *", level: "objects" },
    },
  });

  it("lists when each is due, when it succeeded last, and whether it is overdue", async () => {
    await using directory = await aConfigDirectory();
    const stage = aStage();
    await stage.ledger.create(aRecord({ kind: "dump" }));
    await stage.ledger.end(dumpJob, ending({ endedAt: "2026-11-20T02:00:00.000Z" }));
    await stage.ledger.create(aJobRecord({ jobId: "drill", kind: "drill" }));
    await stage.ledger.end(
      { installation: "clinic-a", jobId: "drill" },
      ending({ endedAt: "2026-11-16T00:00:00.000Z" }),
    );
    await stage.ledger.create(aJobRecord({ jobId: "dry", kind: "check", dryRun: true }));
    await stage.ledger.end({ installation: "clinic-a", jobId: "dry" }, ending());

    const config = await directory.write(aConfig(scheduled));
    const ended = await run(["schedules", "--config", config], stage);
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toBe(
      [
        "installation  kind   cron        time zone      next due              last success          state",
        "clinic-a      dump   30 2 * * *  Europe/Berlin  2026-11-22 01:30:00Z  2026-11-20 02:00:00Z  overdue since 2026-11-21 01:30:00Z",
        "clinic-a      drill  0 4 * * 0   UTC            2026-11-22 04:00:00Z  2026-11-16 00:00:00Z  in time",
        "clinic-a      check  0 1 1 * *   UTC            2026-12-01 01:00:00Z  never                 overdue since 2026-11-01 01:00:00Z",
        "",
      ].join("\n"),
    );
    const json = await run(["schedules", "--config", config, "--installation", "clinic-a", "--json"], stage);
    expect(JSON.parse(json.stdout)[0]).toEqual({
      installation: "clinic-a",
      kind: "dump",
      cron: "30 2 * * *",
      timeZone: "Europe/Berlin",
      nextDueAt: "2026-11-22T01:30:00.000Z",
      lastSuccess: { jobId: dumpId, endedAt: "2026-11-20T02:00:00.000Z" },
      overdueSince: "2026-11-21T01:30:00.000Z",
    });
    expect(stage.ledger.records()).toHaveLength(3);
  });

  it("says that there are none", async () => {
    await using directory = await aConfigDirectory();
    const ended = await run(["schedules", "--config", await directory.write(aConfig())]);
    expect(ended.stdout).toBe("The configuration has no schedules.\n");
  });
});

describe("help on the control plane", () => {
  it.each(["jobs", "run", "watch", "schedules"])("explains %s with examples", async (command) => {
    const ended = await run([command, "--help"]);
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain("--stage <name>");
    expect(ended.stdout).toContain(`$ openemr-ops ${command}`);
  });
});
