import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InstallationBusyError, InvalidInputError } from "@openemr-ops/core/errors";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import { thisProcess } from "@openemr-ops/files/processIdentity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aLockRequest, lockContract } from "../../contract/locks.ts";
import { manualClock } from "../../support/manualClock.ts";

let base: string;
let count = 0;
const freshDirectory = () => join(base, String(count++), "locks");
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "file-locks-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

lockContract("a directory", async (clock) => {
  const directory = freshDirectory();
  return () => fileLocks({ directory, now: clock.now });
});

const folderOf = (directory: string): string => join(directory, "clinic-a", "dump-repository");
const newestOf = async (directory: string): Promise<string> =>
  join(folderOf(directory), (await readdir(folderOf(directory))).sort().at(-1) ?? "");

describe("locks in a directory", () => {
  it("are for their owner alone", async () => {
    const directory = freshDirectory();
    await fileLocks({ directory, now: manualClock().now }).acquire(aLockRequest());

    expect((await stat(folderOf(directory))).mode & 0o777).toBe(0o700);
    expect((await stat(await newestOf(directory))).mode & 0o777).toBe(0o600);
  });

  it("keep a bounded number of files, however often they are renewed", async () => {
    const directory = freshDirectory();
    const locks = fileLocks({ directory, now: manualClock().now });
    const lock = await locks.acquire(aLockRequest());
    for (let round = 0; round < 80; round += 1) await locks.renew(lock);

    expect((await readdir(folderOf(directory))).length).toBeLessThanOrEqual(32);
  });

  it("are free at once when their holder died on this machine", async () => {
    const directory = freshDirectory();
    const now = manualClock().now;
    const dead = { ...thisProcess(), pid: 2 ** 30 };
    await fileLocks({ directory, now, identity: dead }).acquire(aLockRequest());

    expect((await fileLocks({ directory, now }).acquire(aLockRequest({ owner: "job-2" }))).owner).toBe("job-2");
  });

  it("are free at once when the holder's number belongs to a younger process", async () => {
    const directory = freshDirectory();
    const now = manualClock().now;
    await fileLocks({ directory, now, identity: { ...thisProcess(), startedAt: "1" } }).acquire(aLockRequest());

    expect((await fileLocks({ directory, now }).acquire(aLockRequest({ owner: "job-2" }))).owner).toBe("job-2");
  });

  it("stay held when the holder is on another machine, whatever runs here", async () => {
    const directory = freshDirectory();
    const now = manualClock().now;
    const elsewhere = { ...thisProcess(), host: "another", pid: 2 ** 30 };
    await fileLocks({ directory, now, identity: elsewhere }).acquire(aLockRequest());

    await expect(fileLocks({ directory, now }).acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(
      InstallationBusyError,
    );
  });

  it.each([
    { what: "empty", text: "" },
    { what: "cut short", text: '{"owner":"job-' },
    { what: "not a lock", text: '{"pid":1}' },
  ])("take a newest file that is $what for no change, set it aside and name it", async ({ text }) => {
    const directory = freshDirectory();
    const warnings: string[] = [];
    const locks = fileLocks({ directory, now: manualClock().now, warn: (message) => warnings.push(message) });
    const lock = await locks.acquire(aLockRequest());
    await locks.renew(lock);
    const damaged = await newestOf(directory);
    await writeFile(damaged, text);

    await expect(locks.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(/job-1/);
    expect(warnings).toEqual([expect.stringContaining(`${damaged}.damaged`)]);
    expect(await readFile(`${damaged}.damaged`, "utf8")).toBe(text);
    await locks.release(await locks.renew(lock));
    expect((await locks.acquire(aLockRequest({ owner: "job-2" }))).fence).toBeGreaterThan(lock.fence);
  });

  it("are free, with a higher fence, when no file of theirs can be read", async () => {
    const directory = freshDirectory();
    const locks = fileLocks({ directory, now: manualClock().now });
    const lock = await locks.acquire(aLockRequest());
    await writeFile(await newestOf(directory), "garbage");

    expect((await locks.acquire(aLockRequest({ owner: "job-2" }))).fence).toBeGreaterThan(lock.fence);
    await expect(locks.renew(lock)).rejects.toThrow(InstallationBusyError);
  });

  it("are lost, not broken, when somebody removes the directory", async () => {
    const directory = freshDirectory();
    const locks = fileLocks({ directory, now: manualClock().now });
    const lock = await locks.acquire(aLockRequest());
    await rm(directory, { recursive: true });

    await expect(locks.renew(lock)).rejects.toThrow(InstallationBusyError);
    await locks.release(lock);
  });

  it.each(["../escape", "a/b", "", ".hidden"])("refuse the name %j", async (installation) => {
    const locks = fileLocks({ directory: freshDirectory(), now: manualClock().now });

    await expect(locks.acquire(aLockRequest({ installation }))).rejects.toThrow(InvalidInputError);
  });
});
