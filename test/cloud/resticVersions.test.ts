import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { type HospitalCloud, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resticsHere } from "../support/dumpContext.ts";
import { quickRestic } from "../support/quickRestic.ts";

/** The current restic takes all other tests of workflows; this is the one that the system has. */
const [older] = resticsHere().filter((each) => each.older);

describe("the narrow roles of tasks", () => {
  let directory: string;
  let place: HospitalCloud;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-restics-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      cloud: { retryScale: 0.001 },
      taskEnvironment: () => ({
        OPENEMR_OPS_RESTIC: older ? quickRestic(directory, older.restic) : "no older restic is here",
      }),
    });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (kind: WorkflowKind, input: Record<string, string> = {}) => {
    const execution = await place.cloud.waitForExecution(place.cloud.start(place.machine(kind), input), 120_000);
    await place.cloud.idle();
    return { kind, status: execution.status, error: execution.error, cause: execution.cause };
  };

  it("are enough for the restic that Debian has, and refuse it nothing", async () => {
    const beside = { dump: "latest", intoDatabase: "restored", intoSites: join(directory, "restored") };
    const outcomes = [
      await run("dump"),
      await run("dump"),
      await run("check"),
      await run("drill"),
      await run("restore", beside),
    ];

    expect(outcomes.filter(({ status }) => status !== "SUCCEEDED")).toEqual([]);
    expect(place.cloud.deniedCalls()).toEqual([]);
  });
});
