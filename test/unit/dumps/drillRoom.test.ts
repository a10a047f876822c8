import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DumpContext } from "@openemr-ops/dumps/context";
import type { Manifest } from "@openemr-ops/dumps/manifest";
import { assertRoom, drillBytes } from "@openemr-ops/dumps/steps/drillRoom";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-room-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const aManifest = (database: number, sites: number) =>
  ({
    dumpId: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    database: { byteLength: database },
    sites: { byteLength: sites },
  }) as Manifest;
const own = { drillDatabase: "own" } as const;
const elsewhere = { drillDatabase: { host: "db" } as DumpContext["drillDatabase"] };
const contextAt = (drillDirectory: string, drill: Pick<DumpContext, "drillDatabase">) =>
  ({ ...drill, drillDirectory }) as DumpContext;

describe("the disk for drills", () => {
  it("has to hold the files, and the database where the drill starts a server", () => {
    expect(drillBytes(aManifest(100, 1000), elsewhere)).toBe(1000);
    expect(drillBytes(aManifest(100, 1000), own)).toBe(1250);
  });

  it.each([
    { what: "the files", drill: elsewhere, manifest: aManifest(0, 2 ** 50) },
    { what: "the database", drill: own, manifest: aManifest(2 ** 50, 0) },
  ])("is refused when it is smaller than $what, with what to set", async ({ drill, manifest }) => {
    await expect(assertRoom(contextAt(directory, drill), manifest)).rejects.toMatchObject({
      name: "DiskFullError",
      message: expect.stringMatching(
        /needs about .*PiB at .*nothing was fetched.*platform\.task\.drill\.diskGiB to \d+/,
      ),
    });
  });

  it("is looked at above a directory that is not made yet, and is enough for what fits", async () => {
    const { bavail, bsize } = await statfs(directory);
    const absent = join(directory, "not", "made");
    await assertRoom(contextAt(absent, elsewhere), aManifest(2 ** 50, Math.floor((bavail * bsize) / 2)));
    await expect(assertRoom(contextAt(absent, elsewhere), aManifest(0, 2 ** 50))).rejects.toThrow(/not\/made/);
  });
});
