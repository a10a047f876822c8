import { join } from "node:path";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import { selectInstallation } from "@openemr-ops/core/config/select";
import type { OpsError } from "@openemr-ops/core/errors";
import type { InputOf } from "@openemr-ops/events/jobKinds";
import { operations } from "@openemr-ops/task/operations";
import type { Place } from "@openemr-ops/task/program";
import { runByHand } from "@openemr-ops/task/runByHand";
import { afterEach, beforeEach, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { configurationFor } from "../../support/dumpContext.ts";

let clinic: Clinic;
let place: Place;
beforeEach(async () => {
  clinic = await aClinic({ logMegabytes: 1 });
  const { config: written, environment } = configurationFor({ ...clinic, dumps: { format: "portable" } });
  const config = resolveConfig(configSchema.parse(written), clinic.directory);
  place = {
    config,
    installation: selectInstallation(config),
    environment,
    now: () => new Date(),
    signal: new AbortController().signal,
    progress: () => undefined,
    warn: () => undefined,
  };
});
afterEach(() => clinic.remove());

const { programs } = operations;
const common = { version: 1 as const, dryRun: false };

const dump = async (dryRun = false): Promise<string> => {
  const request: InputOf<"dump"> = { ...common, kind: "dump", forceNewRepository: false, dryRun };
  const { result } = await runByHand(programs.dump, place, request, operations);
  return "dryRun" in result ? "planned" : result.dumpId;
};

type RestoreTarget = Pick<InputOf<"restore">, "intoDatabase" | "intoSites" | "inPlace">;

/** Restores the newest dump, and does something else once rows are loaded. */
const restoreAnd = async (target: RestoreTarget, meanwhile: () => Promise<string>): Promise<string> => {
  const request = { ...common, kind: "restore" as const, dump: "latest", upgrade: false, ...target };
  let outcome: Promise<string> | undefined;
  const progress: Place["progress"] = ({ rows }) => {
    if (rows) outcome ??= meanwhile().catch(({ name }: OpsError) => name);
  };
  const { result } = await runByHand(programs.restore, { ...place, progress }, request, operations);
  expect(result).toMatchObject({ verdict: "passed" });
  return outcome ?? "never came";
};

it("a dump that is due while the live schema and tree are replaced is refused, and runs afterwards", async () => {
  await dump();

  expect(await restoreAnd({ inPlace: true }, dump)).toBe("InstallationBusyError");
  expect(await dump()).toMatch(/^[0-9A-Z]{26}$/);
});

it("a restore in place is refused while a dump runs, and holds nothing then", async () => {
  await dump();
  const { locks } = await operations.openStores(place);
  const ofDump = { installation: "clinic-a", resource: "dump-repository", owner: "a dump", leaseSeconds: 60 };
  await locks.acquire(ofDump);

  await expect(restoreAnd({ inPlace: true }, dump)).rejects.toMatchObject({ name: "InstallationBusyError" });
  await locks.acquire({ ...ofDump, resource: "service", owner: "another" });
});

it("a dump is taken while a restore beside the live system is under way", async () => {
  await dump();
  const beside = {
    intoDatabase: `${clinic.schema.name}_copy`,
    intoSites: join(clinic.directory, "copy"),
    inPlace: false,
  };

  expect(await restoreAnd(beside, dump)).toMatch(/^[0-9A-Z]{26}$/);
});

it("a dry run needs no lock, and leaves no record", async () => {
  await dump();
  const { jobs } = await operations.openStores(place);
  const before = await jobs.list("clinic-a");

  expect(await restoreAnd({ inPlace: true }, () => dump(true))).toBe("planned");
  expect(await jobs.list("clinic-a")).toHaveLength(before.length + 1);
});
