import { mkdir, mkdtemp, realpath, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirectory } from "@openemr-ops/files/directory";
import { makeOwned, reopenOwned } from "@openemr-ops/files/ownedDirectory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

describe("a directory that an earlier run made", () => {
  let path: string;
  beforeEach(async () => {
    path = await realpath(await mkdtemp(join(tmpdir(), "openemr-ops-owned-")));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  const noted = async () => {
    await using parent = await openDirectory(path);
    await using made = await makeOwned(parent, "made");
    return made.identity;
  };
  const isFound = async (identity: Awaited<ReturnType<typeof noted>>) => {
    await using parent = await openDirectory(path);
    await using found = await reopenOwned(parent, "made", identity);
    return found !== undefined;
  };

  it("is found again, also where its file system is mounted anew under another number", async () => {
    const identity = await noted();

    expect(await isFound(identity)).toBe(true);
    expect(await isFound({ ...identity, device: `${identity.device}0` })).toBe(true);
  });

  it("is not another one that has its name", async () => {
    const identity = await noted();
    await rename(join(path, "made"), join(path, "moved"));
    await mkdir(join(path, "made"), { mode: 0o700 });

    expect(await isFound(identity)).toBe(false);
  });
});
