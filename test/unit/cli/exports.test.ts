import { DatabaseAccessDeniedError, ResidencyError } from "@openemr-ops/core/errors";
import { sitesExportReport } from "@openemr-ops/task/programs/exportSites";
import { describe, expect, it } from "vitest";
import { aDatabaseExport, aSitesExport, memoryOperations, runInMemory, type Steps } from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation } from "../../support/configuration.ts";

const exports = {
  destination: "s3://sagemaker-clinic-a/analytics",
  database: { reader: { host: "reader.example" }, profile: "full" as const },
};

const run = async (args: readonly string[], steps: Partial<Steps> = {}) => {
  await using directory = await aConfigDirectory();
  const operations = memoryOperations(steps);
  const config = await directory.write(aConfig({ ...anInstallation(), exports }));
  return { operations, ...(await runInMemory([...args, "--config", config], operations)) };
};

describe("export database", () => {
  it("answers with the JSON that scripts read, and nothing beside", async () => {
    const { exitCode, stdout } = await run(["export", "database", "--json"]);
    expect(exitCode).toBe(0);
    const { largest: _, ...told } = aDatabaseExport;
    expect(JSON.parse(stdout)).toEqual(told);
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      "exportId",
      "location",
      "profile",
      "tables",
      "rows",
      "bytes",
      "seconds",
      "skipped",
    ]);
  });

  it("ends with the largest tables, and with what was not exported and why", async () => {
    const { stdout, stderr } = await run(["export", "database"]);
    expect(stderr).toContain("openemr on reader.example:3306 as dump, TLS off");
    expect(stderr).toContain("s3://sagemaker-clinic-a/analytics/database");
    expect(stdout).toContain(
      `Export ${aDatabaseExport.exportId} is complete: ${aDatabaseExport.location} (profile full)`,
    );
    expect(stdout).toMatch(/largest tables +rows +size +compression\n/);
    expect(stdout).toMatch(/log +1,234,560 +3\.0 KiB +10\.0×\n/);
    expect(stdout).toMatch(/patient_data +7 +1\.0 KiB +1\.0×\n/);
    expect(stdout).toMatch(/Not exported:\ntable +reason\nkeys +holds secrets alone\n/);
  });

  it.each<[string, object]>([
    ["", {}],
    ["--profile deidentified", { profile: "deidentified" }],
    ["--tables patient_data,form_encounter", { tables: ["patient_data", "form_encounter"] }],
    ["--engine direct --dry-run", { engine: "direct" }],
    ["--since 2026-01-31", { since: "2026-01-31" }],
  ])("asks for what is typed: %s", async (typed, options) => {
    const { operations } = await run(["export", "database", ...typed.split(" ").filter(Boolean), "--json"]);
    expect(operations.asked.map(({ operation, options: asked }) => [operation, asked])).toEqual([
      ["exportDatabase", options],
    ]);
  });

  it.each([
    ["--profile anonymous", "--profile: expected full or deidentified"],
    ["--engine spark", "--engine: expected direct or aurora"],
    ["--tables a,,b", "--tables: expected a table's name of 1 to 64 characters"],
    ["--since 2026", "--since: expected a day such as 2026-01-31"],
    ["--since 2026-02-30", "--since: expected a day such as 2026-01-31"],
    ["--since 31.01.2026", "--since: expected a day such as 2026-01-31"],
  ])("refuses %s before anything is read", async (typed, says) => {
    const { exitCode, stderr, operations } = await run(["export", "database", ...typed.split(" ")]);
    expect([exitCode, operations.asked]).toEqual([2, []]);
    expect(stderr).toContain(says);
  });

  it("shows in a dry run how the columns of each table are treated", async () => {
    const { stdout } = await run(["export", "database", "--dry-run"], {
      exportDatabase: async () => ({
        dryRun: true,
        profile: "deidentified",
        location: "s3://sagemaker-clinic-a/analytics/database",
        tables: [
          {
            table: "patient_data",
            estimatedRows: 1234,
            columns: [
              { name: "DOB", treatment: "year" },
              { name: "date", treatment: "year" },
              { name: "sex", treatment: "kept" },
            ],
            dropped: [{ name: "fname", reason: "a name" }],
          },
        ],
        skipped: [{ table: "keys", reason: "holds secrets alone" }],
      }),
    });
    expect(stdout).toContain("An export would write 1 tables to s3://sagemaker-clinic-a/analytics/database");
    expect(stdout).toMatch(/patient_data +1,234 +year 2, kept 1, left out 1\n/);
    expect(stdout).toMatch(/keys +holds secrets alone\n/);
  });

  it.each([
    { failure: new ResidencyError("s3://x is in us-east-1"), code: 3 },
    { failure: new DatabaseAccessDeniedError("no right"), code: 4 },
  ])("ends with the status of $failure.name", async ({ failure, code }) => {
    const { exitCode, stdout } = await run(["export", "database", "--json"], {
      exportDatabase: () => Promise.reject(failure),
    });
    expect(exitCode).toBe(code);
    expect(JSON.parse(stdout)).toEqual({ error: { name: failure.name, message: failure.message } });
  });
});

describe("export sites", () => {
  it("answers with the JSON that scripts read, and nothing beside", async () => {
    const { exitCode, stdout } = await run(["export", "sites", "--json"]);
    expect(exitCode).toBe(0);
    const { excludedBy: _, unstable: __, skipped: ___, ...told } = aSitesExport;
    expect(JSON.parse(stdout)).toEqual(told);
    expect(Object.keys(JSON.parse(stdout))).toEqual([
      "exportId",
      "location",
      "files",
      "bytes",
      "uploaded",
      "unchanged",
      "excluded",
      "deleted",
      "seconds",
    ]);
  });

  it("refuses --since: a second run uploads what changed anyway", async () => {
    const { exitCode, stderr, operations } = await run(["export", "sites", "--since", "2026-01-31"]);
    expect([exitCode, operations.asked]).toEqual([2, []]);
    expect(stderr).toContain("--since: is not for files: a second run already uploads only what changed");
  });

  it("says so where documents leave decrypted", async () => {
    const exportSites = async () => ({ ...aSitesExport, decrypted: 3 });
    const { stdout } = await run(["export", "sites"], { exportSites });
    expect(stdout).toMatch(/documents that leave decrypted +3\n/);
    expect(JSON.parse((await run(["export", "sites", "--json"], { exportSites })).stdout)).toHaveProperty(
      "decrypted",
      3,
    );
    expect(sitesExportReport({ ...aSitesExport, decrypted: 0 })).toMatchObject({
      figures: { decrypted: 0 },
      result: { documents: "documents leave decrypted" },
    });
    expect(sitesExportReport(aSitesExport).result).not.toHaveProperty("documents");
  });

  it("shows figures, and in a dry run what they would be", async () => {
    expect((await run(["export", "sites"])).stdout).toMatch(/is complete: s3:\S+\/sites\n[\s\S]* uploaded +1\n/);
    const { exportId: _, seconds: __, ...plan } = aSitesExport;
    const { stdout } = await run(["export", "sites", "--dry-run"], {
      exportSites: async () => ({ dryRun: true, ...plan }),
    });
    expect(stdout).toMatch(/^An export would write to s3:\S+\/sites\.\n/);
  });
});

describe("exports", () => {
  it("lists them with where the data is; as JSON the list itself", async () => {
    const listed = [
      {
        kind: "database" as const,
        exportId: aDatabaseExport.exportId,
        startedAt: "2026-11-21T04:08:00.000Z",
        state: "incomplete" as const,
        location: aDatabaseExport.location,
        problem: "DatabaseUnavailableError: the connection broke",
      },
    ];
    const listExports = async () => listed;
    expect(JSON.parse((await run(["exports", "--json"], { listExports })).stdout)).toEqual(listed);
    const { stdout } = await run(["exports"], { listExports });
    expect(stdout).toMatch(
      /20261121T040800Z-00abcdef +database +2026-11-21 04:08:00Z +incomplete .*DatabaseUnavailable/,
    );
  });

  it("asks for the volume or the bucket where there are none", async () => {
    const { exitCode, stderr, stdout } = await run(["exports"]);
    expect([exitCode, stdout]).toEqual([0, "There are no exports.\n"]);
    expect(stderr).toContain("s3://sagemaker-clinic-a/analytics holds no export of clinic-a");
  });
});

it("each command needs the section, and says so", async () => {
  await using directory = await aConfigDirectory();
  const config = await directory.write(aConfig());
  for (const command of [["export", "database"], ["export", "sites"], ["exports"]]) {
    const { exitCode, stderr } = await runInMemory([...command, "--config", config]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("installations[0].exports: is missing; this job needs it");
  }
});
