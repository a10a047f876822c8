import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { RepositoryPasswordError, TargetNotEmptyError } from "@openemr-ops/core/errors";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import { directoryLocation } from "@openemr-ops/dumps/store/resticLocation";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoryDestination } from "../../support/memoryDestination.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "restic-"));
});
afterEach(() => rm(directory, { recursive: true }));

const wrongPassword = 'echo "Fatal: wrong password or no key found" >&2; exit 12';

/** A store on a program of one's own in restic's place. */
const storeOn = async (script: string, objects: Readonly<Record<string, string>> = {}) => {
  const restic = join(directory, "restic");
  const version = '[ "$1" = version ] && echo "restic 0.19.1" && exit';
  await writeFile(restic, `#!/bin/sh\n${version}\n${script}\n`, { mode: 0o755 });
  return resticStore({
    restic,
    installation: "clinic-a",
    location: directoryLocation({ kind: "file", directory: join(directory, "repository") }),
    readPassword: async () => "password",
    cacheDirectory: directory,
    destination: memoryDestination(objects),
  });
};
const part = { kind: "snapshot", snapshotId: "a".repeat(64) } as const;
const run = () => ({ signal: new AbortController().signal, progress: () => {} });
const refusal = new TargetNotEmptyError("schema restored already holds 1 tables");

it("says why a restore was refused, not what restic says when it is interrupted in its search for the key", async () => {
  const store = await storeOn(`trap '${wrongPassword}' INT\necho ready\nwhile :; do sleep 0.01; done`, {
    [`snapshots/${part.snapshotId}`]: "",
  });
  const refuse = async (stream: AsyncIterable<unknown>) => {
    for await (const _ of stream) throw refusal;
  };

  await expect(store.readDatabase(part, refuse, run())).rejects.toBe(refusal);
});

it("says why restic failed when the reader failed for lack of its output", async () => {
  const store = await storeOn(wrongPassword);
  const readAll = async (stream: AsyncIterable<unknown>) => {
    for await (const _ of stream);
    throw refusal;
  };

  await expect(store.readDatabase(part, readAll, run())).rejects.toThrow(RepositoryPasswordError);
});

it("starts no further restic once the copy of a manifest cannot be read, and leaves none behind", async () => {
  const dumpIds = Array.from({ length: 40 }, (_, index) => `01K9ZV6T5W8QH3N2R4X7BC${String(index).padStart(4, "0")}`);
  const snapshots = dumpIds.map((dumpId, index) => ({
    id: String(index).padStart(64, "0"),
    time: "2026-11-20T12:00:00Z",
    hostname: "clinic-a",
    tags: ["openemr-ops", `dump=${dumpId}`, "kind=manifest"],
  }));
  await writeFile(join(directory, "snapshots.json"), JSON.stringify(snapshots));
  const store = await storeOn(
    `case "$*" in *snapshots*) cat ${directory}/snapshots.json; exit;; esac\necho run >> ${directory}/runs\n${wrongPassword}`,
  );

  await expect(store.readManifestCopies(dumpIds, () => {}, run())).rejects.toThrow(RepositoryPasswordError);
  const runs = async () => (await readFile(join(directory, "runs"), "utf8")).split("\n").length - 1;
  const atOnce = await runs();
  expect(atOnce).toBeLessThan(10);
  await setTimeout(300);
  expect(await runs()).toBe(atOnce);
});
