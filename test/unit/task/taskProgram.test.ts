import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { InstallationBusyError, IntegrityError } from "@openemr-ops/core/errors";
import type { Operations } from "@openemr-ops/task/operations";
import { runTask, type TaskSurroundings } from "@openemr-ops/task/taskProgram";
import { describe, expect, it } from "vitest";
import { aVerdict, dumpId, memoryOperations } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation, databasePassword } from "../../support/configuration.ts";

interface Ended {
  readonly exitCode: number;
  readonly result: unknown;
  readonly log: readonly Record<string, unknown>[];
}

const run = async (
  environment: TaskSurroundings["environment"],
  operations: Operations = memoryOperations(),
  cwd = "/nonexistent",
): Promise<Ended> => {
  const results: string[] = [];
  const lines: string[] = [];
  let seconds = 0;
  const exitCode = await runTask({
    environment,
    cwd,
    writeResult: (text) => results.push(text),
    writeLog: (line) => lines.push(line),
    now: () => new Date(Date.UTC(2026, 10, 21, 4, 0, seconds++)),
    signal: new AbortController().signal,
    openOperations: async () => operations,
    openWorkflow: () => Promise.reject(new Error("there is no task token")),
  });
  expect(results).toHaveLength(1);
  expect(results[0]?.endsWith("\n")).toBe(true);
  return { exitCode, result: JSON.parse(results[0] ?? ""), log: lines.map((line) => JSON.parse(line)) };
};

/** Runs one job on a configuration in a file, and on the same as text. */
const runBoth = async (job: unknown, operations: () => Operations = memoryOperations): Promise<readonly Ended[]> => {
  await using directory = await aConfigDirectory();
  const OPENEMR_OPS_CONFIG = await directory.write(aConfig());
  const OPENEMR_OPS_JOB = JSON.stringify(job);
  const byFile = await run({ OPENEMR_OPS_CONFIG, OPENEMR_OPS_JOB }, operations());
  const environment = { OPENEMR_OPS_CONFIG_JSON: JSON.stringify(aConfig()), OPENEMR_OPS_JOB };
  return [byFile, await run(environment, operations(), directory.path)];
};

describe("the container program", () => {
  it("answers with the job's result, whether the configuration is a file or a text", async () => {
    for (const { exitCode, result, log } of await runBoth({ kind: "drill" })) {
      expect(exitCode).toBe(0);
      const { tableDigests: _, ...short } = aVerdict;
      expect(result).toEqual(short);
      expect(log).toEqual([]);
    }
  });

  it.each<[string, object, unknown]>([
    ["takeDump", { kind: "dump", forceNewRepository: true }, { forceNewRepository: true }],
    ["drillDump", { kind: "drill", dump: dumpId }, { dump: dumpId }],
    ["checkDumps", { kind: "check", level: "read-data", share: "1/7" }, { level: "read-data", share: "1/7" }],
    ["applyRetention", { kind: "retention" }, undefined],
    [
      "restoreDump",
      { kind: "restore", dump: "latest", intoDatabase: "restored", intoSites: "/srv/restore", platform: "ecs" },
      {
        dump: "latest",
        intoDatabase: "restored",
        intoSites: "/srv/restore",
        inPlace: false,
        upgrade: false,
        platform: "ecs",
      },
    ],
  ])("calls %s for %j", async (operation, job, options) => {
    const operations = memoryOperations();
    await runBoth(job, () => operations);
    expect(operations.asked).toHaveLength(2);
    for (const asked of operations.asked) {
      expect(asked).toMatchObject({ operation, job: { dryRun: false, installation: { id: "clinic-a" } } });
      expect(asked.options).toEqual(options);
    }
  });

  it.each(["dump", "drill", "retention"])("hands a dry run of %s on", async (kind) => {
    const operations = memoryOperations();
    await runBoth({ kind, dryRun: true }, () => operations);
    expect(operations.asked.map(({ job }) => job.dryRun)).toEqual([true, true]);
  });

  it("refuses a job whose section the installation lacks, by the section's name", async () => {
    const operations = memoryOperations();
    await using directory = await aConfigDirectory();
    const { dumps: _, ...withoutDumps } = anInstallation();
    const environment = {
      OPENEMR_OPS_CONFIG: await directory.write({ installations: [withoutDumps] }),
      OPENEMR_OPS_JOB: '{"kind":"dump"}',
    };
    const { exitCode, result } = await run(environment, operations);
    expect(exitCode).toBe(2);
    expect(result).toMatchObject({ error: { issues: [{ path: "installations[0].dumps" }] } });
    expect(operations.asked).toEqual([]);
  });

  it("gives a restored OpenEMR the connection of the job, its password still a reference", async () => {
    const operations = memoryOperations();
    const connection = { host: "db.example.org", name: "restored", user: "app", passwordFile: "db.password" };
    const job = { kind: "restore", dump: "latest", intoDatabase: "restored", intoSites: "/srv/r", connection };
    await using directory = await aConfigDirectory();
    const environment = {
      OPENEMR_OPS_CONFIG: await directory.write(aConfig()),
      OPENEMR_OPS_JOB: JSON.stringify(job),
    };
    expect((await run(environment, operations, directory.path)).exitCode).toBe(0);
    expect(operations.asked[0]?.options).toMatchObject({
      connection: {
        host: "db.example.org",
        port: 3306,
        password: { kind: "file", path: `${directory.path}/db.password` },
      },
    });
    const absent = await run(environment, memoryOperations(), "/nonexistent");
    expect(absent.exitCode).toBe(2);
    expect(absent.result).toMatchObject({
      error: { issues: [{ path: "OPENEMR_OPS_JOB: connection: passwordFile" }] },
    });
  });

  it("works on the installation that the job names, and asks for a name when there are several", async () => {
    await using directory = await aConfigDirectory();
    const other = anInstallation({ id: "clinic-b" });
    const config = aConfig(anInstallation(), {
      ...other,
      dumps: { ...other.dumps, destination: "file:///srv/backups/clinic-b" },
    });
    const OPENEMR_OPS_CONFIG = await directory.write(config);
    const operations = memoryOperations();
    const named = { OPENEMR_OPS_CONFIG, OPENEMR_OPS_JOB: '{"kind":"dump","installation":"clinic-b"}' };
    expect((await run(named, operations)).exitCode).toBe(0);
    expect(operations.asked.map(({ job }) => job.installation.id)).toEqual(["clinic-b"]);
    const unnamed = await run({ OPENEMR_OPS_CONFIG, OPENEMR_OPS_JOB: '{"kind":"dump"}' }, operations);
    expect(unnamed).toMatchObject({ exitCode: 2, result: { error: { issues: [{ path: "installation" }] } } });
  });

  it.each<[string, Record<string, string>, string]>([
    ["no job", {}, "OPENEMR_OPS_JOB"],
    ["a job that is no JSON", { OPENEMR_OPS_JOB: "dump" }, "OPENEMR_OPS_JOB"],
    ["an unknown job", { OPENEMR_OPS_JOB: '{"kind":"dumb"}' }, "OPENEMR_OPS_JOB: kind"],
    ["no configuration", { OPENEMR_OPS_JOB: '{"kind":"dump"}' }, "OPENEMR_OPS_CONFIG"],
    [
      "two configurations",
      { OPENEMR_OPS_JOB: '{"kind":"dump"}', OPENEMR_OPS_CONFIG: "c.json", OPENEMR_OPS_CONFIG_JSON: "{}" },
      "OPENEMR_OPS_CONFIG",
    ],
    [
      "a broken configuration",
      { OPENEMR_OPS_JOB: '{"kind":"dump"}', OPENEMR_OPS_CONFIG_JSON: '{"installations":[]}' },
      "OPENEMR_OPS_CONFIG_JSON: installations",
    ],
  ])("ends with 2, names the variable and starts nothing for %s", async (_, environment, path) => {
    const operations = memoryOperations();
    const { exitCode, result } = await run(environment, operations);
    expect(exitCode).toBe(2);
    expect(result).toMatchObject({ error: { name: "InvalidInputError", issues: [{ path }] } });
    expect(operations.asked).toEqual([]);
  });

  it.each([
    [new InstallationBusyError("another job holds it"), 5],
    [new IntegrityError("a byte differs"), 6],
    [new Error(`secret ${databasePassword}`), 4],
  ])("ends a job that fails with %s under its name, with status %i", async (failure, exitCode) => {
    const failing = () =>
      memoryOperations({
        takeDump: async () => {
          throw failure;
        },
      });
    for (const ended of await runBoth({ kind: "dump" }, failing)) {
      expect(ended.exitCode).toBe(exitCode);
      const name =
        failure instanceof IntegrityError || failure instanceof InstallationBusyError
          ? failure.name
          : "UnexpectedError";
      expect(ended.result).toMatchObject({ error: { name } });
      expect(ended.log.at(-1)).toMatchObject({ level: "error", name });
      expect(JSON.stringify(ended)).not.toContain(databasePassword);
    }
  });

  it("is a program of its own that answers on standard output", async () => {
    const main = fileURLToPath(new URL("../../../packages/task/src/main.ts", import.meta.url));
    const child = spawn(process.execPath, [main], { env: {}, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { issues: [{ path: "OPENEMR_OPS_JOB" }] } });
    expect(JSON.parse(stderr)).toMatchObject({ level: "error", name: "InvalidInputError" });
  });

  it("loads AWS's SDK only for a workflow's token", async () => {
    await using directory = await aConfigDirectory();
    const { passwordFile, ...dumps } = anInstallation().dumps;
    const config = aConfig(
      anInstallation({ dumps: { ...dumps, format: "portable", destination: `file://${directory.path}/dumps` } }),
    );
    const tellLoaded = `import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => {
        if (url.includes("@aws-sdk/client-")) process.stderr.write(\`loaded \${url}\\n\`);
        return next(url, context);
      } });`;
    const sourceOf = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));
    const loaded = async (more: Readonly<Record<string, string>>, program = "task/src/main.ts") => {
      const child = spawn(
        process.execPath,
        ["--import", `data:text/javascript,${encodeURIComponent(tellLoaded)}`, sourceOf(program)],
        {
          env: {
            OPENEMR_OPS_CONFIG: await directory.write({ stateDirectory: "state", ...config }),
            OPENEMR_OPS_JOB: '{"kind":"retention","dryRun":true}',
            AWS_ENDPOINT_URL: "http://127.0.0.1:1",
            ...more,
          },
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      const [, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
      return { exitCode, loaded: stderr.includes("loaded ") };
    };

    expect(await loaded({})).toEqual({ exitCode: 0, loaded: false });
    expect(await loaded({ OPENEMR_OPS_STAGE: "test", OPENEMR_OPS_JOB_ID: "job" })).toEqual({
      exitCode: 0,
      loaded: false,
    });
    expect(await loaded({}, "task/src/workflow/openWorkflow.ts")).toEqual({ exitCode: 0, loaded: true });
  });

  it("logs each step once, and again after ten seconds", async () => {
    const operations = memoryOperations({
      drillDump: async ({ progress, warn }) => {
        for (let event = 0; event < 12; event++) progress({ step: "load", bytes: event });
        progress({ step: "compare" });
        warn("look at this");
        return aVerdict;
      },
    });
    const [ended] = await runBoth({ kind: "drill" }, () => operations);
    expect(ended?.log.map(({ level, step, bytes, message }) => [level, step ?? message, bytes])).toEqual([
      ["info", "load", 0],
      ["info", "load", 9],
      ["info", "compare", undefined],
      ["warn", "look at this", undefined],
    ]);
    expect(ended?.log.every(({ time }) => typeof time === "string")).toBe(true);
  });
});
