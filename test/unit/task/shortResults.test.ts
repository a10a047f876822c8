import { visibleJson } from "@openemr-ops/core/visible";
import type { SourceWarning } from "@openemr-ops/dumps/manifest";
import type { DumpPlan, DumpResult } from "@openemr-ops/dumps/steps/takeDump";
import type { CopyEnd } from "@openemr-ops/task/runCopies";
import { shortCopies, shortDump, shortVerdict } from "@openemr-ops/task/shortResults";
import fc from "fast-check";
import { expect, it } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";
import { aVerdict } from "../../support/commandLine.ts";

const { manifest } = aStoredDump();
const digest = "0".repeat(64);
const tables = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ name: `table_${index}`, engine: "InnoDB", keyed: true, exact: false },
    ...{ rows: 1, byteLength: 1, sha256: digest, structureSha256: digest },
  }));
const figures = {
  rows: 2_227_024,
  tables: 300,
  databaseBytes: 2e9,
  files: 2e5,
  filesBytes: 3e10,
  warnings: 9,
  seconds: 99.123,
};
const aResult = (warnings: readonly SourceWarning[]): DumpResult => ({
  dumpId: manifest.dumpId,
  complete: true,
  manifest: { ...manifest, warnings: [...warnings], database: { ...manifest.database, tables: tables(2000) } },
  figures,
});
const warning = fc.record({
  code: fc.constantFrom("tables-without-snapshot", "documents-without-file"),
  message: fc.oneof(
    fc.string({ unit: "binary", maxLength: 1000, size: "max" }),
    fc.string({ maxLength: 1000, size: "max" }),
  ),
  count: fc.nat(),
});
const copy = fc.record({
  copy: fc.constantFrom(1, 2, 3),
  destination: fc.constant("s3://openemr-ops-copies-of-the-hospital-in-another-region/clinic-a"),
  figures: fc.constant({ copied: 1, skipped: 30, seconds: 12.345 }),
  result: fc.constant({ dumpId: manifest.dumpId, manifestDigest: digest, databaseSnapshot: digest }),
  error: fc.record({
    name: fc.constant("DestinationAccessDeniedError"),
    message: fc.string({ unit: "binary", maxLength: 1000, size: "max" }),
  }),
});
const bytes = (value: unknown) => Buffer.byteLength(visibleJson(value));

it("a dump's result has less than 4 KB, whatever its tables, warnings and copies are", () => {
  fc.assert(
    fc.property(
      fc.array(warning, { maxLength: 12, size: "max" }),
      fc.array(copy, { maxLength: 3, size: "max" }),
      (warnings, ends) => {
        const result = { ...shortDump(aResult(warnings)), copies: shortCopies(ends as CopyEnd[]) };
        expect(bytes(result)).toBeLessThan(4096);
      },
    ),
  );
});

it("a dump's result has its figures, its first warnings, and how many more there are", () => {
  const some = Array.from({ length: 6 }, (_, index) => ({ code: "link-outside", message: `link ${index}` }));

  expect(shortDump(aResult(some))).toEqual({
    dumpId: manifest.dumpId,
    complete: true,
    installation: "clinic-a",
    takenAt: manifest.takenAt,
    figures,
    warnings: some.slice(0, 4),
    warningsLeftOut: 2,
  });
  expect(shortDump(aResult([]))).not.toHaveProperty("warningsLeftOut");
});

it("cuts a long message where a character ends, and says so", () => {
  const [{ message } = { message: "" }] = (shortDump(aResult([{ code: "x", message: "é😀".repeat(500) }])) as DumpPlan)
    .warnings;
  expect(message).toMatch(/^(é😀)+é?…$/u);
});

it("a plan names twenty tables and sites at most", () => {
  const names = Array.from({ length: 500 }, (_, index) => `name_of_a_table_${index}`);
  const plan: DumpPlan = {
    ...{ dryRun: true, destination: "file:///srv", format: "restic", server: "MySQL 8.0", tables: 500, views: 0 },
    ...{ exactTables: names, sites: names, warnings: [] },
  };

  expect(shortDump(plan)).toMatchObject({ exactTables: names.slice(0, 20), sites: names.slice(0, 20) });
  expect(bytes(shortDump(plan))).toBeLessThan(4096);
});

it("a verdict leaves the tables' digests to the manifest", () => {
  const { tableDigests: _, ...rest } = aVerdict;
  expect(shortVerdict({ ...aVerdict, tableDigests: [{ table: "log", rows: 1, sha256: digest, equal: true }] })).toEqual(
    rest,
  );
});

it("a drill's plan stays as it is", () => {
  const plan = {
    dryRun: true,
    dumpId: manifest.dumpId,
    takenAt: "",
    tables: 1,
    rows: 1,
    databaseBytes: 1,
    files: 1,
    filesBytes: 1,
  } as const;
  expect(shortVerdict(plan)).toEqual(plan);
});
