import { ulid } from "@openemr-ops/core/ids";
import { newestDumps } from "@openemr-ops/dumps/steps/newestDumps";
import { expect, it } from "vitest";
import { memoryDestination } from "../../support/memoryDestination.ts";

const now = new Date("2026-11-21T04:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const idOf = (taken: Date) => ulid(taken, () => 0);
const manifest = (taken: Date, of = "clinic-a") => ({ [`manifests/${of}/${idOf(taken)}.json`]: "not read" });
const note = (taken: Date, level: string) => ({
  [`verifications/clinic-a/${idOf(taken)}/2026-11-20T00-00-00.000Z_${level}.json`]: "not read",
});
const at = (stored: Readonly<Record<string, string>>) => {
  const destination = memoryDestination(stored);
  const get = () => Promise.reject(new Error("no object may be read"));
  return newestDumps({ ...destination, get }, "clinic-a", now);
};

it("finds the newest dump, and the newest whose every byte was checked, by names alone", async () => {
  const stored = {
    ...manifest(daysAgo(9)),
    ...manifest(daysAgo(5)),
    ...manifest(daysAgo(2)),
    ...manifest(daysAgo(1), "clinic-a-b"),
    ...note(daysAgo(9), "drill"),
    ...note(daysAgo(5), "read-data"),
    ...note(daysAgo(2), "objects"),
    ...note(daysAgo(1), "drill"), // of a dump that was deleted
  };

  expect(await at(stored)).toEqual({ complete: daysAgo(2), verified: daysAgo(5) });
});

it("does not take a dump from the future for the newest: a clock was wrong", async () => {
  expect(await at({ ...manifest(daysAgo(-3)), ...note(daysAgo(-3), "drill"), ...manifest(daysAgo(4)) })).toEqual({
    complete: daysAgo(4),
  });
});

it("finds none where there is none", async () => {
  expect(await at({})).toEqual({});
});
