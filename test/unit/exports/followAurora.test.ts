import type { ClusterExport, ClusterExports } from "@openemr-ops/exports/aurora/clusterExports";
import { type AuroraState, followAurora } from "@openemr-ops/exports/aurora/followAurora";
import { storePlan } from "@openemr-ops/exports/aurora/planAurora";
import { beforeEach, describe, expect, it } from "vitest";
import { memoryDestination } from "../../support/memoryDestination.ts";

const cluster = "arn:aws:rds:eu-central-1:123456789012:cluster:clinic-a";
const exportId = "20261127T040000Z-00abcdef";
const identifier = "e-clinic-a-1";
const root = `database/${exportId}`;
const begun = new Date("2026-11-27T04:00:00Z");

describe("an export that RDS makes", () => {
  let known: Map<string, ClusterExport>;
  let started: unknown[];
  let destination: ReturnType<typeof memoryDestination>;
  let now: Date;
  let plan: string;
  beforeEach(async () => {
    known = new Map();
    started = [];
    destination = memoryDestination();
    now = begun;
    plan = await storePlan(destination, exportId, {
      schema: "openemr",
      tables: ["patient_data", "empty", "odd"],
      skipped: [{ table: "keys", reason: "a table of keys and credentials" }],
    });
  });
  const task = (status: ClusterExport["status"], more: Partial<ClusterExport> = {}): ClusterExport => ({
    identifier,
    status,
    source: cluster,
    percent: 40,
    ...more,
  });
  const clusterExports: ClusterExports = {
    cluster,
    find: async (name) => known.get(name),
    running: async () => [...known.values()],
    start: async (request) => void started.push(request),
  };
  const look = (before: AuroraState = { state: "new", since: "" }) =>
    followAurora(
      { installation: "clinic-a", exportId, identifier, plan, before },
      { clusterExports, destination, prefix: "analytics", now: () => now },
    );
  const put = (path: string, body: string) => destination.put(`${root}/${identifier}/${path}`, Buffer.from(body));
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of destination.list(root)) found.push(key.slice(root.length + 1));
    return found;
  };

  it("is asked for once it is its turn, with the tables that may leave and a prefix of its own", async () => {
    expect(await look()).toMatchObject({ state: "starting", since: begun.toISOString() });
    expect(started).toEqual([
      {
        identifier,
        prefix: `analytics/${root}`,
        only: ["openemr.patient_data", "openemr.empty", "openemr.odd"],
      },
    ]);
  });

  it.each([
    ["another export of the cluster runs", 1, cluster],
    ["five exports of the account run", 5, "arn:aws:rds:eu-central-1:123456789012:cluster:other"],
  ])("waits while %s", async (_, count, source) => {
    for (let index = 0; index < count; index += 1)
      known.set(`other-${index}`, task("IN_PROGRESS", { identifier: `other-${index}`, source }));
    expect(await look()).toMatchObject({ state: "queued", figures: { ahead: count } });
    expect(started).toEqual([]);
    known.delete("other-0");
    expect(await look()).toMatchObject({ state: "starting" });
  });

  it.each([
    ["was altered while it waited", '{"schema":"openemr","tables":["users_secure"],"skipped":[]}'],
    ["is gone", undefined],
  ])("is not asked for when the list of its tables %s", async (_, altered) => {
    if (altered === undefined) await destination.delete(`${root}/_plan.json`);
    else await destination.put(`${root}/_plan.json`, Buffer.from(altered));
    await expect(look()).rejects.toMatchObject({ name: "IntegrityError", message: /_plan\.json/ });
    expect(started).toEqual([]);
  });

  it("does not start for ever", async () => {
    known.set(identifier, task("STARTING"));
    const first = await look();
    now = new Date(begun.getTime() + 89 * 60_000);
    expect(await look(first)).toEqual(first);
    now = new Date(begun.getTime() + 91 * 60_000);
    await expect(look(first)).rejects.toMatchObject({ name: "JobTimeoutError", message: /STARTING for 90 minutes/ });
  });

  it("fails in RDS's own words", async () => {
    known.set(identifier, task("FAILED", { failure: "The key is disabled", warning: "w" }));
    await expect(look()).rejects.toMatchObject({ name: "DatabaseFailedError", message: /The key is disabled/ });
    known.set(identifier, task("CANCELED"));
    await expect(look()).rejects.toMatchObject({ name: "DatabaseFailedError", message: /somebody cancelled/ });
    expect(await keys()).toEqual(["_plan.json"]);
  });

  it("is complete with the tables that are there, and names each that RDS left out", async () => {
    known.set(identifier, task("COMPLETE", { warning: "1 table was skipped" }));
    await put("openemr/openemr.patient_data/1/part-00000-a.gz.parquet", "12345");
    await put("openemr/openemr.patient_data/3/part-00002-b.gz.parquet", "678");
    const perTableStatus = [
      { target: "openemr.patient_data", status: "COMPLETE" },
      { target: "openemr.empty", status: "COMPLETE" },
      { target: "openemr.odd", status: "SKIPPED", warningMessage: "a column's name has a space" },
    ];
    await put("export_tables_info_e_from_1_to_3.json", JSON.stringify({ perTableStatus }));

    expect(await look()).toMatchObject({
      state: "done",
      figures: { tables: 2, bytes: 8, skipped: 2 },
      result: { exportId, profile: "full", exportTask: identifier },
    });
    const parts: Buffer[] = [];
    for await (const part of (await destination.get(`${root}/_manifest.json`)) ?? []) parts.push(part as Buffer);
    expect(JSON.parse(Buffer.concat(parts).toString())).toMatchObject({
      exportTask: { warning: "1 table was skipped" },
      tables: [
        { table: "patient_data", directory: `${identifier}/openemr/openemr.patient_data`, files: 2, bytes: 8 },
        { table: "empty", files: 0 },
      ],
      skipped: [
        { table: "keys", reason: "a table of keys and credentials" },
        { table: "odd", reason: "a column's name has a space" },
      ],
    });
    expect(await keys()).toContain("_SUCCESS");
  });

  it("is not complete when RDS says so and nothing is there", async () => {
    known.set(identifier, task("COMPLETE"));
    await expect(look()).rejects.toMatchObject({ name: "IntegrityError", message: /no table of it/ });
    expect(await keys()).not.toContain("_SUCCESS");
  });
});
