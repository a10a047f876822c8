import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "@openemr-ops/cli/writeWhole";
import { DiskFullError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import type { Report } from "@openemr-ops/report/report";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { snapshotOf } from "../../support/configuration.ts";
import { parsePage, rowsOf } from "../../support/parsePage.ts";
import { type RealCommandLine, realCommandLine } from "../../support/realCommandLine.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

let clinic: Clinic;
let commands: RealCommandLine;
let directory: string;
let taken: { readonly dumpId: string; readonly figures: Readonly<Record<string, number>> };
let drill: { readonly seconds: { readonly restore: number } };

beforeAll(async () => {
  clinic = await aClinic();
  directory = join(clinic.directory, "reported");
  commands = await realCommandLine({
    ...clinic,
    directory,
    dumps: {
      copies: [{ destination: `file://${join(directory, "copy")}` }],
      drill: { directory: join(directory, "drills"), goalMinutes: 1 },
    },
  });
  taken = (await commands.run(["dump"])).json as typeof taken;
  drill = (await commands.run(["drill"])).json as typeof drill;
});
afterAll(() => clinic.remove());

const out = () => join(clinic.directory, "report.html");
const report = async () => {
  const { exitCode, json, stderr } = await commands.run(["report", "--out", out()]);
  return { exitCode, report: json as Report, stderr, page: parsePage(await readFile(out(), "utf8")) };
};

describe("a report on real dumps", () => {
  it("has the figures that the dump, the drill and retention report, and writes nothing else", async () => {
    const before = await snapshotOf(join(directory, "state/jobs"));
    const plan = (await commands.run(["retention", "--dry-run"])).json as {
      keep: readonly { dumpId: string; reasons: readonly string[] }[];
    };
    const { exitCode, report: found, page, stderr } = await report();
    expect([exitCode, found.complete], stderr).toEqual([0, true]);
    const [installation] = found.installations;
    const [first, copy] = installation?.stores ?? [];
    expect(first?.dumps.map(({ state }) => state)).toEqual(["verified"]);
    const { rows, files, databaseBytes, filesBytes } = taken.figures;
    expect(first?.dumps[0]).toMatchObject({
      dumpId: taken.dumpId,
      rows,
      files,
      databaseBytes,
      filesBytes,
      sealed: true,
    });
    expect(rowsOf(page.byId("installation-1-0-dumps"))[0]).toMatchObject({
      dump: taken.dumpId,
      rows,
      files,
      database: databaseBytes,
    });
    expect(copy?.dumps.map(({ dumpId }) => dumpId)).toEqual(first?.dumps.map(({ dumpId }) => dumpId));
    const retention = first && "value" in first.retention ? first.retention.value : [];
    expect(retention.map(({ dumpId, reasons }) => ({ dumpId, reasons }))).toEqual(
      plan.keep.map(({ dumpId, reasons }) => ({ dumpId, reasons })),
    );
    expect(installation?.drills).toMatchObject({
      value: { goalSeconds: 60, drills: [{ restoreSeconds: drill.seconds.restore, withinGoal: true }] },
    });
    expect(await snapshotOf(join(directory, "state/jobs"))).toEqual(before);
  });

  it("is stored beside the dumps, which list, check and delete as before", async () => {
    const listed = (await commands.run(["dumps"])).json;
    const { exitCode, stderr } = await commands.run(["report", "--to-destination"]);
    expect(exitCode, stderr).toBe(0);
    const day = new Date().toISOString().slice(0, 10);
    const page = await readFile(join(directory, "repository/reports/clinic-a", `${day}.html`), "utf8");
    expect(rowsOf(parsePage(page).byId("installation-1-0-dumps"))[0]).toMatchObject({ dump: taken.dumpId });
    expect((await commands.run(["dumps"])).json).toEqual(listed);
    for (const command of [["check"], ["retention"], ["report"]])
      expect((await commands.run(command)).exitCode).toBe(0);
  });

  it("shows a dump that failed since, from its record", async () => {
    const failed = await commands.run(["dump"], { environment: { DUMP_USER_PASSWORD: "wrong" } });
    expect(failed.exitCode).toBe(4);
    const { report: found } = await report();
    const [installation] = found.installations;
    expect(installation?.stores[0]?.dumps[0]).toMatchObject({
      state: "failed",
      remark: expect.stringContaining("DatabaseAccessDeniedError"),
    });
    expect(installation?.openWarnings).toContainEqual(expect.objectContaining({ severity: "failed", about: "dump" }));
  });

  it("lists without the repository's password, and says that retention is not known", async () => {
    const { exitCode, json } = await commands.run(["report"], {
      environment: { REPOSITORY_PASSWORD: "wrong-one-here" },
    });
    expect(exitCode).toBe(4);
    const [installation] = (json as Report).installations;
    expect(installation?.stores[0]?.dumps[1]).toMatchObject({ dumpId: taken.dumpId, sealed: null });
    expect(installation?.stores[0]?.retention).toMatchObject({ unread: { name: "RepositoryPasswordError" } });
  });

  it("says that a store is gone that held dumps, and still has the others", async () => {
    await rename(join(directory, "copy"), join(directory, "away"));
    try {
      const { exitCode, report: found, page } = await report();
      expect(exitCode).toBe(4);
      const [first, copy] = found.installations[0]?.stores ?? [];
      expect(first?.unread).toBeUndefined();
      expect(copy?.unread).toMatchObject({
        name: "DestinationMissingError",
        message: expect.stringContaining("held dumps until"),
      });
      expect(page.byId("installation-1-1-dumps")).toBeUndefined();
    } finally {
      await rename(join(directory, "away"), join(directory, "copy"));
    }
  });

  it("leaves the page before it where the disk is full, and nothing beside it", async () => {
    await using disk = await smallFileSystem(join(clinic.directory, "full"), 1);
    const page = join(disk.path, "report.html");
    await writeWhole(page, "before");
    await expect(writeWhole(page, "x".repeat(2 * 1024 * 1024))).rejects.toThrow(DiskFullError);
    expect(await readdir(disk.path)).toEqual(["report.html"]);
    expect(await readFile(page, "utf8")).toBe("before");
  });

  it("reads a year of records, and no more of them than it needs", async () => {
    const jobs = fileJobs({ directory: join(directory, "state/jobs"), now: () => new Date() });
    await mkdir(join(directory, "state/jobs"), { recursive: true });
    const from = Date.now() - 3600_000;
    await Promise.all(
      Array.from({ length: 1500 }, (_, index) => {
        const at = new Date(from - index * 6 * 3600 * 1000);
        return jobs.save(
          aJobRecord({
            at,
            kind: index % 4 === 0 ? "dump" : "check",
            status: "succeeded",
            endedAt: at.toISOString(),
            result: { dumpId: ulid(at), destination: `file://${join(directory, "repository")}` },
          }),
        );
      }),
    );
    const { exitCode, json } = await commands.run(["report", "--days", "365"]);
    expect(exitCode).toBe(0);
    const states = (json as Report).installations[0]?.stores[0]?.dumps.map(({ state }) => state) ?? [];
    expect(states.filter((state) => state === "expired").length).toBeGreaterThan(360);
  });
});
