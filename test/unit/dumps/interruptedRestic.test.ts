import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DestinationAccessDeniedError, RepositoryPasswordError, TargetNotEmptyError } from "@openemr-ops/core/errors";
import type { Produce } from "@openemr-ops/dumps/store/producer";
import { resticStore } from "@openemr-ops/dumps/store/restic";
import { directoryLocation } from "@openemr-ops/dumps/store/resticLocation";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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

describe("restic tries again what failed, for up to 15 minutes", () => {
  const retries = (reason: string) =>
    `echo "Save(<lock/0532c06b5f>) returned error, retrying after 552.3ms: ${reason}" >&2`;
  const store = (script: string) => storeOn(`case "$*" in *backup*) ;; *) exit;; esac\n${script}`);
  const dump = { dumpId: "01K9ZV6T5W8QH3N2R4X7BC0000", takenAt: new Date("2026-11-20T12:00:00Z") };
  const endless: Produce = (_sink, signal) => setTimeout(60_000, undefined, { signal });

  it("and is stopped where that is in vain", async () => {
    const stopped = 'echo "Fatal: unable to create lock in backend: context canceled" >&2; exit 130';
    const { writeDatabase } = await store(
      `trap '${stopped}' INT\n${retries("open /srv/backup/locks/0532-tmp-1: read-only file system")}\nwhile :; do sleep 0.01; done`,
    );
    const refused = writeDatabase(dump, endless, run());
    await expect(refused).rejects.toThrow(DestinationAccessDeniedError);
    await expect(refused).rejects.toThrow("open /srv/backup/locks/0532-tmp-1: read-only file system");
  });

  it("and progress says so where it may help", async () => {
    const { writeDatabase } = await store(
      `${retries("dial tcp 10.0.0.1:443: connect: connection refused")}\n${wrongPassword}`,
    );
    const seen: unknown[] = [];
    const failed = writeDatabase(dump, endless, { ...run(), progress: (event) => seen.push(event) });
    await expect(failed).rejects.toThrow(RepositoryPasswordError);
    expect(seen).toEqual([{ step: "destination", detail: "a request failed, restic tries it again" }]);
  });
});
