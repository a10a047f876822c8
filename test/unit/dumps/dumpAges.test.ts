import { ulid } from "@openemr-ops/core/ids";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { dumpAges } from "@openemr-ops/dumps/steps/dumpAges";
import { expect, it } from "vitest";
import { aStoredDump } from "../../support/aStoredDump.ts";
import { memoryDestination } from "../../support/memoryDestination.ts";

const now = new Date("2026-11-21T04:00:00Z");
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);

const taken = (hours: number, changes: Parameters<typeof aStoredDump>[0] = {}) => {
  const moment = hoursAgo(hours);
  const dumpId = ulid(moment, () => 0);
  const { objects } = aStoredDump({ dumpId, takenAt: moment.toISOString(), ...changes });
  return { dumpId, objects, age: { dumpId, takenAt: moment.toISOString(), ageSeconds: hours * 3600 } };
};
const passed = ({ dumpId }: { readonly dumpId: string }, level: string) => ({
  [`verifications/clinic-a/${dumpId}/2026-11-20T00-00-00.000Z_${level}.json`]: "not read",
});

/** Of a destination that is only read, whose parts are known by the names of its snapshots. */
const agesAt = (objects: Readonly<Record<string, string>>, copied = false) => {
  const { list, get } = memoryDestination(objects);
  const presentParts = async (parts: readonly { readonly kind: string; readonly snapshotId?: string }[]) =>
    new Set(parts.filter(({ snapshotId }) => `snapshots/${snapshotId}` in objects));
  const context = {
    installation: "clinic-a",
    destination: { list, get },
    store: { format: "restic", presentParts },
    now: () => now,
  };
  return dumpAges(context as unknown as DumpContext, copied);
};

it("are none where there is no dump, and none of another installation", async () => {
  expect(await agesAt({})).toEqual({ complete: null, verified: null });
  expect(await agesAt(taken(1, { installation: "clinic-a-b" }).objects)).toEqual({ complete: null, verified: null });
});

it("are those of the newest complete dump, and of the newest of which every byte was checked", async () => {
  const [old, verified, newest] = [taken(200), taken(100), taken(3)];
  const stored = {
    ...old.objects,
    ...verified.objects,
    ...newest.objects,
    ...passed(old, "drill"),
    ...passed(verified, "read-data"),
    ...passed(newest, "objects"),
    ...passed(taken(1), "drill"), // of a dump that was deleted
  };

  expect(await agesAt(stored)).toEqual({ complete: newest.age, verified: verified.age });
});

it.each<[string, (stored: Record<string, string>, dumpId: string) => void]>([
  [
    "whose manifest has another byte",
    (stored, dumpId) => {
      const key = `manifests/clinic-a/${dumpId}.json`;
      stored[key] = stored[key]?.replace("openemr", "openemR") ?? "";
    },
  ],
  [
    "of which a half is gone",
    (stored) => {
      delete stored[Object.keys(stored).find((key) => key.startsWith("snapshots/")) ?? ""];
    },
  ],
])("pass over a dump %s", async (_, spoil) => {
  const [sound, spoilt] = [taken(30), taken(3)];
  const stored: Record<string, string> = { ...spoilt.objects, ...passed(spoilt, "drill") };
  spoil(stored, spoilt.dumpId);

  expect(await agesAt({ ...sound.objects, ...stored })).toEqual({ complete: sound.age, verified: null });
});

it("pass over a dump of the future: a clock was wrong", async () => {
  const sound = taken(30);
  expect(await agesAt({ ...sound.objects, ...taken(-48).objects })).toMatchObject({ complete: sound.age });
});

it("of a copy do not ask for the first repository's names of the halves", async () => {
  const { objects, age } = taken(3);
  const copied = Object.fromEntries(Object.entries(objects).filter(([key]) => !key.startsWith("snapshots/")));

  expect(await agesAt(copied)).toMatchObject({ complete: null });
  expect(await agesAt(copied, true)).toMatchObject({ complete: age });
});
