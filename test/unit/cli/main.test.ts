import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import { cloudSqlImport } from "@openemr-ops/task/cloudSqlImport";
import { listenForStop } from "@openemr-ops/task/signals";
import { describe, expect, it } from "vitest";
import { setAt } from "../../support/brokenConfigs.ts";
import { dumpId, type Run } from "../../support/commandLine.ts";
import {
  aConfig,
  aConfigDirectory,
  databasePassword,
  repositoryPassword,
  snapshotOf,
} from "../../support/configuration.ts";

const main = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));

/** The real program in a process of its own. */
const run = async (argv: readonly string[], cwd: string): Promise<Run> => {
  const child = spawn(process.execPath, [main, ...argv], { cwd, env: {}, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { exitCode: Number(exitCode), stdout, stderr };
};

const broken: readonly [string, unknown, string][] = [
  ["installations.0.id", "../../etc", "installations[0].id"],
  ["installations.0.database.host", undefined, "installations[0].database.host"],
  ["installations.0.dumps.passwordFile", "absent", "installations[0].dumps.passwordFile"],
  ["installations.0.dumps.destination", "file:///srv/../etc", "installations[0].dumps.destination"],
  ["installation", {}, "installation"],
];

describe("the program", () => {
  it.each(broken)("ends with 2, names %s and touches nothing when it is broken", async (place, value, path) => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(setAt(aConfig(), place, value));
    const before = await snapshotOf(directory.path);
    const { exitCode, stdout, stderr } = await run(["dump", "--config", config, "--json"], directory.path);
    expect(exitCode).toBe(2);
    const { error } = JSON.parse(stdout) as { error: { issues: readonly { path: string }[] } };
    expect(error.issues.map((issue) => issue.path)).toEqual([path]);
    expect(stderr).toContain(`  ${path}: `);
    expect(stdout + stderr).not.toContain(databasePassword);
    expect(stdout + stderr).not.toContain(repositoryPassword);
    expect(await snapshotOf(directory.path)).toEqual(before);
  });

  it("ends with 2 for a command line that it does not understand", async () => {
    await using directory = await aConfigDirectory();
    const { exitCode, stdout, stderr } = await run(["dumb", "--json"], directory.path);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { name: "InvalidInputError" } });
    expect(stderr).toContain("unknown command 'dumb' (Did you mean dump?)");
  });

  it("says its version and ends with 0", async () => {
    await using directory = await aConfigDirectory();
    expect(await run(["--version"], directory.path)).toMatchObject({ exitCode: 0, stdout: "0.1.0\n", stderr: "" });
  });

  it("says in its help which exit statuses and environment variables it has", async () => {
    await using directory = await aConfigDirectory();
    const { stdout } = await run(["--help"], directory.path);
    for (const text of ["Exit status:", "5  another job", "Environment:", "OPENEMR_OPS_STAGE"])
      expect(stdout).toContain(text);
  });

  it("does its work and ends as it would, where nobody reads what it prints", async () => {
    await using directory = await aConfigDirectory();
    const check = ["config", "check", "--config", await directory.write(aConfig()), "--json"];
    for (const [argv, status] of [
      [check, 0],
      [["dumb", "--json"], 2],
    ] as const) {
      const child = spawn(process.execPath, [main, ...argv], {
        cwd: directory.path,
        env: {},
        stdio: ["ignore", "pipe", "ignore"],
      });
      child.stdout.destroy();
      expect(await once(child, "close")).toEqual([status, null]);
    }
  });

  it("looks for files where the person is, also when npm starts it", async () => {
    await using directory = await aConfigDirectory();
    await directory.write(aConfig());
    const npm = { npm_lifecycle_event: "ops", INIT_CWD: directory.path };
    const child = spawn(process.execPath, [main, "config", "check", "--config", "c.json", "--json"], {
      cwd: "/",
      env: npm,
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(JSON.parse(await text(child.stdout))).toMatchObject({ valid: true });
  });

  it("accepts the configuration of its own documentation", async () => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(aConfig());
    const { exitCode, stdout } = await run(["config", "check", "--config", config, "--json"], directory.path);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, installations: [{ id: "clinic-a" }] });
  });
});

describe("a signal", () => {
  it("asks the job to end in order; a second one ends the program at once", () => {
    const source = new EventEmitter();
    const said: string[] = [];
    const stop = listenForStop(
      source,
      () => said.push("stopping"),
      () => said.push("at once"),
    );
    expect(stop.signal.aborted).toBe(false);
    source.emit("SIGTERM");
    expect(stop.signal.aborted).toBe(true);
    source.emit("SIGINT");
    expect(said).toEqual(["stopping", "at once"]);
    stop[Symbol.dispose]();
    expect(source.listenerCount("SIGINT") + source.listenerCount("SIGTERM")).toBe(0);
  });
});

describe("the command for Cloud SQL", () => {
  const gcs = { kind: "gcs", bucket: "clinic-dumps", prefix: "a/b" } as const;
  const dumpWith = (key: string) => ({
    dumpId,
    database: {
      name: "openemr",
      part: { kind: "object" as const, key, byteLength: 1, sha256: "0".repeat(64) },
      byteLength: 1,
      rows: 1,
      largestStatement: 1,
      tables: [],
      programs: [],
    },
  });

  it("names the object and the schema", () => {
    expect(cloudSqlImport(gcs, dumpWith("dumps/x/database.sql.gz"), "open emr")).toBe(
      "gcloud sql import sql INSTANCE gs://clinic-dumps/a/b/dumps/x/database.sql.gz --database='open emr'",
    );
  });

  it.each(["database.sql.zst", "database.sql.gz.age"])("is refused for %s, which the service cannot read", (key) => {
    expect(() => cloudSqlImport(gcs, dumpWith(key), "openemr")).toThrow(TargetUnsuitableError);
  });

  it("is refused for a dump outside Google Cloud", () => {
    const file = { kind: "file", directory: "/srv" } as const;
    expect(() => cloudSqlImport(file, dumpWith("database.sql.gz"), "openemr")).toThrow(TargetUnsuitableError);
  });
});
