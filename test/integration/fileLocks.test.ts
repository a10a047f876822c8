import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock } from "../support/manualClock.ts";

const program = resolve(import.meta.dirname, "../support/lockContender.ts");
let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "lock-race-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const nextLine = async (child: ChildProcessWithoutNullStreams): Promise<string> =>
  String((await once(child.stdout, "data"))[0]).trim();

const contender = async (directory: string, owner: string, after: "hold" | "leave") => {
  const child = spawn(process.execPath, [program, directory, owner, after]);
  expect(await nextLine(child)).toBe("ready");
  return {
    tryIt: async () => {
      const answer = nextLine(child);
      child.stdin.write("go\n");
      return answer;
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
};

it("tells who holds a lock, and holds none by that", async () => {
  const clock = manualClock();
  const locks = fileLocks({ directory: join(base, "holder"), now: clock.now });
  const lock = { installation: "clinic-a", resource: "export-database" };
  expect(await locks.holder(lock)).toBeUndefined();
  const held = await locks.acquire({ ...lock, owner: "job-1", leaseSeconds: 60 });
  expect(await locks.holder(lock)).toBe("job-1");
  clock.advance(61);
  expect(await locks.holder(lock)).toBeUndefined();
  const next = await locks.acquire({ ...lock, owner: "job-2", leaseSeconds: 60 });
  expect([held.fence < next.fence, await locks.holder(lock)]).toEqual([true, "job-2"]);
  await locks.release(next);
  expect(await locks.holder(lock)).toBeUndefined();
});

describe("processes that want the same lock", () => {
  it("race, and exactly one wins, round after round", async () => {
    for (let round = 0; round < 4; round += 1) {
      const directory = join(base, `race-${round}`);
      const racers = await Promise.all([1, 2, 3, 4].map((index) => contender(directory, `job-${index}`, "hold")));
      const answers = await Promise.all(racers.map(({ tryIt }) => tryIt()));
      await Promise.all(racers.map(({ kill }) => kill()));

      expect(answers.sort()).toEqual([...Array(3).fill("InstallationBusyError"), "won 1"].sort());
    }
  });

  it("race for what a killed one left, and exactly one wins at once, an hour before the lease ends", async () => {
    const directory = join(base, "killed");
    const holder = await contender(directory, "job-1", "hold");
    expect(await holder.tryIt()).toBe("won 1");
    const late = await contender(directory, "job-2", "hold");
    expect(await late.tryIt()).toBe("InstallationBusyError");

    await holder.kill();
    const racers = await Promise.all([3, 4, 5].map((index) => contender(directory, `job-${index}`, "hold")));
    const answers = await Promise.all(racers.map(({ tryIt }) => tryIt()));
    await Promise.all([late, ...racers].map(({ kill }) => kill()));

    expect(answers.sort()).toEqual(["InstallationBusyError", "InstallationBusyError", "won 2"]);
  });
});
