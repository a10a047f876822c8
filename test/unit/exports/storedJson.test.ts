import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Destination } from "@openemr-ops/core/destination";
import { followAurora } from "@openemr-ops/exports/aurora/followAurora";
import { readPlan, storePlan } from "@openemr-ops/exports/aurora/planAurora";
import { exportStatus } from "@openemr-ops/exports/exportStatus";
import { listExports } from "@openemr-ops/exports/listExports";
import { inventoryRows } from "@openemr-ops/exports/sites/inventory/parts";
import { readSeals } from "@openemr-ops/exports/sites/seal";
import { describe, expect, it } from "vitest";
import { aJobRecord } from "../../support/aJobRecord.ts";
import { memoryDestination } from "../../support/memoryDestination.ts";
import { memoryJobs } from "../../support/memoryJobs.ts";

const exportId = "20261127T040000Z-00abcdef";
const folder = `database/${exportId}`;
const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

const status = async (destination: Destination) =>
  exportStatus(
    aJobRecord({ kind: "exportDatabase", at: new Date(), status: "succeeded", result: { exportId } }),
    async () => destination,
  );

const follow = async (destination: Destination) => {
  const plan = await storePlan(destination, exportId, { schema: "openemr", tables: ["log"], skipped: [] });
  await destination.put(`${folder}/e-1/openemr/openemr.log/1/a.parquet`, Buffer.from("rows"));
  return followAurora(
    { installation: "clinic-a", exportId, identifier: "e-1", plan, before: { state: "running", since: "" } },
    {
      clusterExports: {
        cluster: "c",
        find: async () => ({ identifier: "e-1", status: "COMPLETE", source: "c", percent: 100 }),
        running: async () => [],
        start: async () => {},
      },
      destination,
      prefix: "analytics",
      now: () => new Date(),
    },
  );
};

/** Everything of an export that is read back from where it was written. */
const readers = [
  { of: "the status of an export", key: `${folder}/_manifest.json`, read: status },
  { of: "an export of the sites", key: "sites/_SUCCESS", read: readSeals },
  { of: "an export of the sites after one that failed", key: "sites/_INCOMPLETE", read: readSeals },
  { of: "an export that RDS made", key: `${folder}/e-1/export_tables_info_e-1_from_1_to_1.json`, read: follow },
] as const;

const seal = {
  version: 1,
  exportId,
  installation: "clinic-a",
  startedAt: "2026-11-27T04:00:00Z",
  finishedAt: "2026-11-27T04:01:00Z",
  inventory: [],
  figures: {},
  excludedBy: {},
};

const malformed = [
  { what: "is not JSON", text: "<html>" },
  { what: "was cut short", text: '{"version":1,"tables":[{"table":"lo' },
  { what: "is empty", text: "" },
  { what: "is a text", text: '"skipped"' },
  { what: "is null", text: "null" },
  { what: "is a list", text: "[]" },
  {
    what: "has lists of something else",
    text: '{"version":1,"inventory":[null],"skipped":[null],"perTableStatus":[null]}',
  },
  {
    what: "has fields of other types",
    text: JSON.stringify({ ...seal, finishedAt: 5, skipped: "all", tables: 3, perTableStatus: { a: 1 } }),
  },
];

describe.each(readers)("$of", ({ key, read }) => {
  it.each(malformed)(`names the object and the next step where ${key} $what`, async ({ text }) => {
    const destination = memoryDestination({ [key]: text }, { url: "s3://sagemaker/analytics" });
    await expect(read(destination)).rejects.toMatchObject({
      name: "IntegrityError",
      message: expect.stringMatching(new RegExp(`${key.replaceAll(".", "\\.")} in s3://sagemaker/analytics .*: .*`)),
    });
  });

  it("reads no more of an object than it can be", async () => {
    let sent = 0;
    const stored = memoryDestination({ [key]: "{}" });
    const destination: Destination = {
      ...stored,
      get: async (asked, range) =>
        asked === key
          ? Readable.from(
              (function* () {
                for (; sent < 2 ** 30; sent += 2 ** 20) yield Buffer.alloc(2 ** 20, " ");
              })(),
            )
          : stored.get(asked, range),
    };
    await expect(read(destination)).rejects.toMatchObject({ name: "IntegrityError", message: /larger than/ });
    expect(sent).toBeLessThan(2 ** 26);
  });
});

describe("a list of tables for RDS", () => {
  it.each(malformed)("is named where it $what, also with its digest", async ({ text }) => {
    const destination = memoryDestination({ [`${folder}/_plan.json`]: text });
    await expect(readPlan(destination, exportId, sha256(text))).rejects.toMatchObject({
      name: "IntegrityError",
      message: /_plan\.json/,
    });
  });
});

describe("an inventory", () => {
  it.each([
    ["is no Parquet", "rows"],
    ["is empty", ""],
  ])("is named where a part %s, also with the digest that _SUCCESS has", async (_, text) => {
    const key = "sites/_inventory/a-00000.parquet";
    const destination = memoryDestination({ [key]: text });
    const rows = inventoryRows(destination, [{ key, sha256: sha256(text), rows: 1 }]);
    await expect(rows.next()).rejects.toMatchObject({ name: "IntegrityError", message: /a-00000\.parquet/ });
  });
});

describe("the list of exports", () => {
  it.each(malformed.filter(({ text }) => !text.includes("version")))(
    "has an export whose manifest $what, and says so",
    async ({ text }) => {
      const destination = memoryDestination({
        [`${folder}/_manifest.json`]: text,
        [`${folder}/_SUCCESS`]: "",
        "sites/_SUCCESS": JSON.stringify(seal),
      });
      const listing = { installation: "clinic-a", destination, jobs: memoryJobs(), holder: async () => undefined };
      expect(await listExports(listing)).toMatchObject([
        { kind: "database", state: "complete", problem: expect.stringContaining("_manifest.json in memory://") },
        { kind: "sites", state: "complete" },
      ]);
    },
  );
});
