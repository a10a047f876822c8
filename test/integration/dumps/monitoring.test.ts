import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgressEvent } from "@openemr-ops/core/progress";
import { manifestBytes } from "@openemr-ops/dumps/manifest";
import { restoreDump } from "@openemr-ops/dumps/steps/restoreDump";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { renderMetrics } from "@openemr-ops/task/metrics/textfile";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, growLog } from "../../support/aClinic.ts";
import { contextFor } from "../../support/dumpContext.ts";
import { type ReadSample, readMetrics } from "../../support/readMetrics.ts";
import { type RealCommandLine, realCommandLine } from "../../support/realCommandLine.ts";

let clinic: Clinic;
let program: RealCommandLine;
let metrics: string;
beforeAll(async () => {
  clinic = await aClinic();
  program = await realCommandLine(clinic);
  metrics = join(clinic.directory, "openemr-ops.prom");
});
afterAll(() => clinic.remove());

interface ShortDump {
  readonly dumpId: string;
  readonly takenAt: string;
  readonly figures: Readonly<Record<string, number>>;
}

const metricOf = (samples: readonly ReadSample[], name: string, kind: string): number | undefined =>
  samples.find((sample) => sample.name === `openemr_ops_job_${name}` && sample.labels.kind === kind)?.value;

const noPasswords = { DUMP_USER_PASSWORD: "wrong", RESTORE_USER_PASSWORD: "wrong", REPOSITORY_PASSWORD: "wrong" };

describe("a machine that is watched", () => {
  let taken: ShortDump;

  it("has no fresh dump before the first, and that writes nothing", async () => {
    const end = await program.run(["check", "--max-age", "26h"]);

    expect(end).toMatchObject({ exitCode: 4, json: { fresh: false, complete: null, verified: null } });
    expect(end.json).toMatchObject({ error: { name: "DumpTooOldError" } });
    await expect(stat(join(clinic.directory, "state"))).rejects.toThrow("ENOENT");
  });

  it("takes a dump whose result is short, whose manifest is there for who asks, and whose log has times", async () => {
    const { stdout, stderr, json, exitCode } = await program.run(["dump", "--metrics", metrics]);
    taken = json as ShortDump;

    expect(exitCode, stderr).toBe(0);
    expect(Buffer.byteLength(stdout)).toBeLessThan(4096);
    expect(json).not.toHaveProperty("manifest");
    for (const line of stderr
      .trimEnd()
      .split("\n")
      .filter((each) => !each.startsWith("  ")))
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /);
    expect(stderr).toMatch(/Z database: 100%, .*Z seal/s);
    const shown = await program.run(["dumps", "show", taken.dumpId, "--full"]);
    const stored = await readFile(join(clinic.directory, `repository/manifests/clinic-a/${taken.dumpId}.json`));
    expect(manifestBytes((shown.json as { manifest: never }).manifest)).toEqual(stored);
  });

  it("has it as fresh without any password, and as verified after a drill alone", async () => {
    const ages = async (...args: readonly string[]) =>
      program.run(["check", "--max-age", "1h", ...args], { environment: noPasswords });

    expect(await ages()).toMatchObject({
      exitCode: 0,
      json: { complete: { dumpId: taken.dumpId, takenAt: taken.takenAt } },
    });
    expect(await ages("--verified")).toMatchObject({ exitCode: 4 });
    // Both write into the one file.
    const both = await Promise.all([
      program.run(["drill", "--metrics", metrics]),
      program.run(["check", "--metrics", metrics]),
    ]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(await ages("--verified")).toMatchObject({ exitCode: 0, json: { verified: { dumpId: taken.dumpId } } });
  });

  it("has metrics that Prometheus reads, of each kind of job", async () => {
    const samples = await readMetrics(metrics);

    expect(new Set(samples.map(({ type }) => type))).toEqual(new Set(["gauge"]));
    expect(samples.every(({ help, labels }) => help !== "" && labels.installation === "clinic-a")).toBe(true);
    for (const kind of ["dump", "drill", "check"]) expect(metricOf(samples, "last_run_success", kind), kind).toBe(1);
    expect(metricOf(samples, "rows", "dump")).toBe(taken.figures.rows);
    expect(metricOf(samples, "database_bytes", "dump")).toBe(taken.figures.databaseBytes);
    expect(samples.map(({ name }) => name)).toContain("openemr_ops_dump_last_verification_timestamp_seconds");
    expect((await stat(metrics)).mode & 0o777).toBe(0o644);
  });

  it("keeps the values of the last success when a job fails", async () => {
    const before = await readMetrics(metrics);
    const end = await program.run(["dump", "--metrics", metrics], { environment: noPasswords });
    const after = await readMetrics(metrics);

    expect(end.exitCode).toBe(4);
    expect(metricOf(after, "last_run_success", "dump")).toBe(0);
    for (const name of ["last_success_timestamp_seconds", "rows", "files"])
      expect(metricOf(after, name, "dump"), name).toBe(metricOf(before, name, "dump"));
    expect(metricOf(after, "last_run_success", "drill")).toBe(1);
  });

  it("keeps them by the configuration too, and a dry run changes nothing", async () => {
    const file = join(clinic.directory, "c.json");
    const written = JSON.parse(await readFile(file, "utf8"));
    await writeFile(file, JSON.stringify({ ...written, metricsFile: "by-configuration.prom" }));
    const own = join(clinic.directory, "by-configuration.prom");

    expect(await program.run(["retention", "--dry-run"])).toMatchObject({ exitCode: 0 });
    await expect(stat(own)).rejects.toThrow("ENOENT");
    expect(await program.run(["retention"])).toMatchObject({ exitCode: 0 });
    expect(metricOf(await readMetrics(own), "last_run_success", "retention")).toBe(1);
  });
});

it("metrics have labels that Prometheus reads, whatever characters they hold", async () => {
  const labels = ['a"b', "a\\nb", "a\nb", 'back\\slash"', "ä 😀 }", ",=", ""];
  const path = join(clinic.directory, "labels.prom");
  const samples = labels.map((installation, value) => ({
    name: "openemr_ops_job_rows",
    labels: { installation },
    value,
  }));
  await writeFile(path, renderMetrics(samples));

  const read = (await readMetrics(path)).map(({ labels: { installation }, value }) => [installation, value]);
  expect(read.sort()).toEqual(labels.map((label, value) => [label, value]).sort());
});

describe("the progress of a job", () => {
  const watched = async () => {
    const events: ProgressEvent[] = [];
    const context = await contextFor({ ...clinic, surroundings: { progress: (event) => events.push(event) } });
    return { events, context, of: (step: string) => events.filter((event) => event.step === step) };
  };

  it("knows what the dump before held, and at the end what this one holds", async () => {
    const { context, of } = await watched();
    await growLog(clinic.schema, 1);
    const { manifest: before } = await takeDump(context);
    await growLog(clinic.schema, 1);
    const more = await watched();
    const { manifest } = await takeDump(more.context);
    const database = more.of("database");

    expect(of("database").at(-1)).toMatchObject({ bytes: before.database.byteLength, rows: before.database.rows });
    expect(database[0]).toMatchObject({ totalRows: before.database.rows, estimated: true });
    expect(database.at(-1)).toEqual({
      ...{ step: "database", bytes: manifest.database.byteLength, totalBytes: manifest.database.byteLength },
      ...{ rows: manifest.database.rows, totalRows: manifest.database.rows },
    });
    expect(database.every(({ bytes = 0, totalBytes = bytes }) => bytes <= totalBytes)).toBe(true);
    expect(more.of("sites").at(-1)).toMatchObject({ files: manifest.sites.files, totalFiles: manifest.sites.files });
  });

  it("of a restore counts the rows and files of the dump, no more and no less", async () => {
    const { context, of } = await watched();
    const { manifest } = await takeDump(context);
    const { rows, byteLength: bytes } = manifest.database;
    await restoreDump(context, {
      ...{
        dump: "latest",
        intoDatabase: `${clinic.schema.name}_watched`,
        intoSites: join(clinic.directory, "watched"),
      },
    });
    await clinic.schema.query(`DROP DATABASE \`${clinic.schema.name}_watched\``);

    for (const step of ["load", "compare"]) {
      expect(of(step).at(-1), step).toMatchObject({ rows, totalRows: rows, bytes, totalBytes: bytes });
      expect(
        of(step).every((event) => (event.rows ?? 0) <= rows),
        step,
      ).toBe(true);
    }
    const { files, byteLength } = manifest.sites;
    const whole = { totalFiles: files, totalBytes: byteLength };
    const restored = of("sites").slice(-2);
    expect(restored[0]).toMatchObject(whole);
    expect(restored[1]).toEqual({ step: "sites", files, bytes: byteLength, ...whole });
  });
});
