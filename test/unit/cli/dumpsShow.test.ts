import { manifestBytes } from "@openemr-ops/dumps/manifest";
import type { DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";
import { memoryOperations, runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, type ConfigDirectory } from "../../support/configuration.ts";

let directory: ConfigDirectory;
let config: string;
beforeAll(async () => {
  directory = await aConfigDirectory();
  config = await directory.write(aConfig());
});
afterAll(() => directory[Symbol.asyncDispose]());

const digest = "0".repeat(64);
const stored = aStoredDump().manifest;
const manifest = {
  ...stored,
  openemr: { ...stored.openemr, version: { v_major: 7, v_minor: 0, v_patch: 3 } },
  database: {
    ...stored.database,
    rows: 78,
    byteLength: 7800,
    tables: Array.from({ length: 12 }, (_, index) => ({
      ...{ name: `table_${index}`, engine: "InnoDB", keyed: true, exact: false },
      ...{ rows: index + 1, byteLength: (index + 1) * 100, sha256: digest, structureSha256: digest },
    })),
  },
  warnings: [{ code: "link-outside", message: "a link leads outside" }],
  tools: { restic: "restic 0.18.0", node: "24.1.0" },
};
const { dumpId, takenAt } = manifest;
const listed = {
  ...{ dumpId, takenAt, complete: true, sealed: true, warnings: 1 },
  verified: { level: "drill", at: takenAt, sealed: true } as const,
};
const operations = memoryOperations({ showDump: async () => ({ listed, manifest }) });
const show = (...args: readonly string[]) => runInMemory(["dumps", "show", ...args, "--config", config], operations);

describe("dumps show", () => {
  it("needs to know which dump", async () => {
    expect(await show()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("missing required argument 'dump'"),
    });
    expect(await show("newest")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected latest or") });
  });

  it("shows when, how much, the largest tables, warnings and checks", async () => {
    const { stdout, exitCode } = await show(dumpId);

    expect(exitCode).toBe(0);
    for (const part of [
      `Dump ${dumpId} of clinic-a`,
      /verified +drill 2026-11-20 02:30:00Z/,
      /OpenEMR +7\.0\.3/,
      /database +12 tables, 78 rows, 7\.6 KiB/,
      /made with +restic 0\.18\.0, node 24\.1\.0/,
      /largest tables +rows +size\ntable_11 +12 +1\.2 KiB\ntable_10/,
      "warning: a link leads outside",
    ])
      expect(stdout).toMatch(part);
    expect(stdout).not.toContain("table_1 ");
  });

  it("shows every table, or with --json the manifest itself, with --full", async () => {
    expect((await show(dumpId, "--full")).stdout).toMatch(/^table_0 +1 +100 B$/m);
    const { listed: _, manifest: shown, ...rest } = JSON.parse((await show("latest", "--json", "--full")).stdout);
    expect(manifestBytes(shown)).toEqual(manifestBytes(manifest));
    expect(rest).toEqual(listed);
  });

  it("with --json is short", async () => {
    const { stdout } = await show("latest", "--json");

    expect(Buffer.byteLength(stdout)).toBeLessThan(4096);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ dumpId, complete: true, openemr: "7.0.3", tables: 12, rows: 78 },
      warnings: manifest.warnings,
      largestTables: { length: 10, 0: { name: "table_11", rows: 12, bytes: 1200 } },
    });
  });
});

describe("dump --json", () => {
  const result: DumpResult = { dumpId, complete: true, manifest, figures: { rows: 78, warnings: 1 } };
  const dump = (...args: readonly string[]) =>
    runInMemory(["dump", "--config", config, ...args], memoryOperations({ takeDump: async () => result }));

  it("has the figures, and the manifest with --full alone", async () => {
    const short = JSON.parse((await dump("--json")).stdout);

    expect(short).toMatchObject({ dumpId, complete: true, figures: result.figures, warnings: manifest.warnings });
    expect(short).not.toHaveProperty("manifest");
    expect(JSON.parse((await dump("--json", "--full")).stdout).manifest.database.tables).toHaveLength(12);
  });
});
