import type { DumpAges } from "@openemr-ops/dumps/steps/dumpAges";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dumpId, memoryOperations, runInMemory } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, type ConfigDirectory } from "../../support/configuration.ts";

let directory: ConfigDirectory;
let config: string;
beforeAll(async () => {
  directory = await aConfigDirectory();
  config = await directory.write(aConfig());
});
afterAll(() => directory[Symbol.asyncDispose]());

const aged = (hours: number) => ({ dumpId, takenAt: "2026-11-21T02:08:00.000Z", ageSeconds: hours * 3600 });
const check = (ages: DumpAges, ...args: readonly string[]) => {
  const operations = memoryOperations({ dumpAges: async () => ages });
  const openStores = () => Promise.reject(new Error("monitoring takes no lock and writes no record"));
  return runInMemory(["check", ...args, "--config", config], { ...operations, openStores });
};

describe("check --max-age", () => {
  it("fails when there is no complete dump", async () => {
    const run = await check({ complete: null, verified: null }, "--max-age", "26h");

    expect(run.exitCode).toBe(4);
    expect(run.stderr).toContain("DumpTooOldError: clinic-a: there is no complete dump; 26 h 0 min are allowed");
  });

  it("fails when the newest complete dump is older, and its result has the ages", async () => {
    const ages = { complete: aged(27), verified: aged(100) };
    const run = await check(ages, "--max-age", "26h", "--json");

    expect(run.exitCode).toBe(4);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual({
      fresh: false,
      maxAgeSeconds: 26 * 3600,
      ...ages,
      error: {
        name: "DumpTooOldError",
        message: `clinic-a: the newest complete dump, ${dumpId} of 2026-11-21 02:08:00Z, is 27 h 0 min old; 26 h 0 min are allowed`,
      },
    });
  });

  it("with --verified looks at the newest verified dump, however new others are", async () => {
    expect(
      (await check({ complete: aged(1), verified: aged(8 * 24 + 1) }, "--max-age", "8d", "--verified")).exitCode,
    ).toBe(4);
    expect((await check({ complete: aged(1), verified: null }, "--max-age", "8d", "--verified")).exitCode).toBe(4);
    expect((await check({ complete: aged(1), verified: aged(8 * 24) }, "--max-age", "8d", "--verified")).exitCode).toBe(
      0,
    );
  });

  it("is one line when the dump is new enough", async () => {
    const run = await check({ complete: aged(2), verified: null }, "--max-age", "150m");

    expect(run).toEqual({
      exitCode: 0,
      stdout: `clinic-a: the newest complete dump, ${dumpId} of 2026-11-21 02:08:00Z, is 2 h 0 min old\n`,
      stderr: "",
    });
  });

  it("refuses a metrics file, for it runs no job", async () => {
    const run = await check({ complete: aged(2), verified: null }, "--max-age", "3h", "--metrics", "a.prom");
    expect(run).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--metrics: does not go with --max-age"),
    });
  });
});
