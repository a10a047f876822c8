import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import {
  DestinationAccessDeniedError,
  InstallationBusyError,
  IntegrityError,
  ResidencyError,
} from "@openemr-ops/core/errors";
import { type CopySetting, copyDumps } from "@openemr-ops/dumps/steps/copyDumps";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { resticCopier } from "@openemr-ops/dumps/store/resticCopier";
import { resticSettings } from "@openemr-ops/task/openContext";
import { openCopy } from "@openemr-ops/task/openCopy";
import { openSecrets } from "@openemr-ops/task/openSecrets";
import type { Place } from "@openemr-ops/task/program";
import { dumpsOf } from "@openemr-ops/task/programs/dumpContext";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../../support/aClinic.ts";
import { configurationFor, resticsHere } from "../../support/dumpContext.ts";
import { placeFor } from "../../support/place.ts";
import { aRepositoryPassword } from "../../support/quickRepository.ts";
import { quickenRepositoryKey } from "../../support/quickRepositoryKey.ts";

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic({ programs: false });
});
afterAll(() => clinic.remove());

let places = 0;
/** An installation with one dump and a copy where nothing is yet. */
const aCopy = async (format: "restic" | "portable", restic?: string) => {
  const directory = join(clinic.directory, `place-${places++}`);
  await mkdir(join(directory, "drills"), { recursive: true });
  const copies = [{ destination: `file://${join(directory, "second")}` }];
  const written = configurationFor({ ...clinic, directory, ...(restic ? { restic } : {}), dumps: { format, copies } });
  const warnings: string[] = [];
  const place: Place = { ...placeFor(written, directory), warn: (message) => void warnings.push(message) };
  const setting = await openCopy(place, 1);
  const { first } = setting;
  if (format === "restic") {
    await first.store.open(true, first);
    await quickenRepositoryKey(first.destination, aRepositoryPassword);
  }
  const { dumpId, manifest } = await takeDump(first);
  return { place, setting, dumpId, manifest, warnings };
};

/** The same copy with another look at its first store. */
const readingFrom = ({ place, setting }: Awaited<ReturnType<typeof aCopy>>, from: Destination): CopySetting => {
  const around = { environment: place.environment, readSecret: openSecrets(place.environment) };
  const settingsOf = (copy: number | undefined, destination: Destination) => {
    const installation = dumpsOf(place, copy);
    if (installation.dumps.format !== "restic") throw new Error("expected a repository");
    return resticSettings(place.config, installation, installation.dumps, destination, around);
  };
  const copier = resticCopier(settingsOf(undefined, from), settingsOf(1, setting.second.destination));
  return { ...setting, copier };
};

const keysAt = async (destination: Destination, prefix = ""): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of destination.list(prefix)) keys.push(key);
  return keys;
};

describe.each(["restic", "portable"] as const)("a copy of %s dumps", (format) => {
  let made: Awaited<ReturnType<typeof aCopy>>;
  beforeEach(async () => {
    made = await aCopy(format);
  });

  it("is refused when a stored byte at the first store is not what was written, and counts nothing", async () => {
    const { first, second } = made.setting;
    const [largest] = (await keysAt(first.destination, format === "restic" ? "data/" : "portable/")).toReversed();
    const key = largest ?? "";
    const chunks: Buffer[] = [];
    for await (const chunk of (await first.destination.get(key)) ?? []) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await first.destination.put(key, bytes);

    await expect(copyDumps(made.setting)).rejects.toThrow(IntegrityError);
    expect(await listDumps(second)).toEqual([]);
  }, 30_000);

  it("is refused when an object at the first store is gone, and counts nothing", async () => {
    const { first, second } = made.setting;
    const [some] = (await keysAt(first.destination, format === "restic" ? "data/" : "portable/")).toReversed();
    await first.destination.delete(some ?? "");

    await expect(copyDumps(made.setting)).rejects.toThrow(IntegrityError);
    expect(await listDumps(second)).toEqual([]);
  }, 30_000);

  it("does not spread a dump that nobody proves to be ours, and reports it", async () => {
    const { first, second } = made.setting;
    const forged = `${made.dumpId.slice(0, 2)}00000000${made.dumpId.slice(10)}`; // years earlier
    await first.destination.put(`manifests/clinic-a/${forged}.json`, Buffer.from("{}"));

    const { copied, skipped } = await copyDumps(made.setting);
    expect({ copied, skipped }).toEqual({ copied: [made.dumpId], skipped: [forged] });
    expect(made.warnings.join()).toMatch(/1 dumps at .* are not complete or not sealed, and are not copied/);
    expect((await listDumps(second)).map(({ dumpId }) => dumpId)).toEqual([made.dumpId]);
  }, 30_000);

  it("is not satisfied with what lies at the second store: a half that is lost there comes again", async () => {
    const { second } = made.setting;
    await copyDumps(made.setting);
    const { parts } = await copyDumps(made.setting);
    const key = parts.sites.kind === "snapshot" ? `snapshots/${parts.sites.snapshotId}` : parts.sites.key;
    await second.destination.delete(key);
    expect(await listDumps(second)).toMatchObject([{ dumpId: made.dumpId, complete: false }]);

    expect(await copyDumps(made.setting)).toMatchObject({ copied: [made.dumpId] });
    expect(await listDumps(second)).toMatchObject([{ dumpId: made.dumpId, complete: true, sealed: true }]);
  }, 30_000);
});

describe.each(resticsHere())("a copy of a repository ($name)", ({ restic }) => {
  it("is busy, not damaged, when another program tidies the first one up meanwhile", async () => {
    const made = await aCopy("restic", restic);
    const { setting } = made;
    let tidied = false;
    const { destination } = setting.first;
    const vanishing: Destination = {
      ...destination,
      get: async (key, range) => {
        if (!key.startsWith("data/")) return destination.get(key, range);
        if (!tidied) await destination.put(`index/${"0".repeat(64)}`, Buffer.from("another index"));
        tidied = true;
        return undefined;
      },
    };
    await expect(copyDumps(readingFrom(made, vanishing))).rejects.toThrow(InstallationBusyError);
    expect(await listDumps(setting.second)).toEqual([]);
  }, 30_000);

  it("ends at once with the first store's own failure when that refuses", async () => {
    const made = await aCopy("restic", restic);
    const { setting } = made;
    const { destination } = setting.first;
    const refusing: Destination = {
      ...destination,
      get: async (key, range) => {
        if (key.startsWith("data/")) throw new DestinationAccessDeniedError("reading data is not allowed here");
        return destination.get(key, range);
      },
    };
    await expect(copyDumps(readingFrom(made, refusing))).rejects.toThrow("reading data is not allowed here");
  }, 30_000);
});

it("a copy goes nowhere where data may not be: its store is asked before the first byte", async () => {
  const { setting } = await aCopy("portable");
  const second = {
    ...setting.second,
    assertPlace: () => Promise.reject(new ResidencyError("gs://copies is in US", { field: "residency" })),
  };
  await expect(copyDumps({ ...setting, second })).rejects.toThrow(ResidencyError);
  expect(await keysAt(second.destination)).toEqual([]);
});
