import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nearestExisting, openDirectory, realPlace } from "@openemr-ops/files/directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

describe("a directory that is held on to", () => {
  let parent: string;

  beforeEach(async () => {
    parent = await realpath(await mkdtemp(join(tmpdir(), "openemr-ops-directory-")));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it("is opened or absent when it is moved away at the same moment, never something else", async () => {
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 2000; turn++) {
      const path = join(parent, `directory-${turn}`);
      await mkdir(path);
      const opening = openDirectory(path).then(
        async (directory) => {
          await directory[Symbol.asyncDispose]();
          return "opened";
        },
        (error: NodeJS.ErrnoException) => error.code ?? error.name,
      );
      await rename(path, `${path}-gone`);
      outcomes.add(await opening);
    }
    expect(["opened", "ENOENT"]).toEqual(expect.arrayContaining([...outcomes]));
  });

  it("is refused when a link is above it", async () => {
    await mkdir(join(parent, "real/inner"), { recursive: true });
    await symlink("real", join(parent, "link"));
    await expect(openDirectory(join(parent, "link/inner"))).rejects.toMatchObject({ name: "TargetUnsuitableError" });
  });
});

it("the nearest directory that exists is found above an absent one, and not above a file", async () => {
  const parent = await realpath(await mkdtemp(join(tmpdir(), "openemr-ops-nearest-")));
  await writeFile(join(parent, "file"), "");
  expect(await nearestExisting(parent)).toBe(parent);
  expect(await nearestExisting(join(parent, "absent/below"))).toBe(parent);
  await expect(nearestExisting(join(parent, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  await rm(parent, { recursive: true });
});

describe("the real place of a path", () => {
  it("is named when a file is where a directory above it would be", async () => {
    const parent = await realpath(await mkdtemp(join(tmpdir(), "openemr-ops-place-")));
    await writeFile(join(parent, "file"), "");
    expect(await realPlace(join(parent, "absent/below"))).toBe(join(parent, "absent/below"));

    await expect(realPlace(join(parent, "file/below/it"))).rejects.toMatchObject({
      name: "TargetUnsuitableError",
      message: expect.stringContaining(`${parent}/file/below/it`),
    });
    await rm(parent, { recursive: true });
  });
});
