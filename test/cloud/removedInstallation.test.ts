import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namesOf } from "@openemr-ops/core/names";
import { type HospitalCloud, hospitalStage, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const { scheduleGroup } = namesOf(hospitalStage);
const removed = "clinic-a";
const kept = "clinic-b";

const directory = mkdtempSync(join(tmpdir(), "openemr-ops-removed-"));
/** What the control plane knows after the deployment that no longer names the first. */
const configured = kept;
let hospital: HospitalCloud;
beforeAll(async () => {
  hospital = await startHospitalCloud({
    directory,
    installations: [removed, kept],
    size: "tiny",
    functionEnvironment: ({ OPENEMR_OPS_INSTALLATIONS: all }): Record<string, string> =>
      all === undefined ? {} : { OPENEMR_OPS_INSTALLATIONS: configured },
  });
});
afterAll(async () => {
  await hospital?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const comeDue = (installation: string, due: string) =>
  hospital.cloud.fireSchedule(`${scheduleGroup}/${installation}-health`, new Date(due));
const started = async () => {
  await hospital.cloud.idle();
  return hospital.cloud.executions().map(({ arn }) => (arn.includes(`-${removed}-`) ? removed : kept));
};

describe("an installation that was removed from the configuration while its stack stays", () => {
  it("starts no job any more, and the others go on", async () => {
    expect(await comeDue(removed, "2026-11-22T01:00:00Z")).toBe("succeeded");
    expect(await comeDue(kept, "2026-11-22T01:00:00Z")).toBe("succeeded");
    expect(await started()).toEqual([kept]);
    expect(hospital.cloud.deadLetters()).toEqual([]);
  });
});
