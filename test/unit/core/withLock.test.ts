import { InstallationBusyError } from "@openemr-ops/core/errors";
import type { LockStore } from "@openemr-ops/core/locks";
import { withLock } from "@openemr-ops/core/withLock";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aLockRequest } from "../../contract/locks.ts";
import { type MemoryLocks, memoryLocks } from "../../support/memoryLocks.ts";

const now = () => new Date(); // moved by the timers below
let locks: MemoryLocks;
beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-11-20T12:00:00Z") });
  locks = memoryLocks(now);
});
afterEach(() => {
  vi.useRealTimers();
});

const lastFor = (seconds: number) => (signal: AbortSignal) =>
  new Promise<string>((resolve, reject) => {
    setTimeout(() => resolve("done"), seconds * 1000);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
/** Lets time pass while `running` runs; its failure is looked at later. */
const later = async <T>(seconds: number, running: Promise<T>): Promise<Promise<T>> => {
  running.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return running;
};

describe("work under a lock", () => {
  it("has the lock while it runs, gives its result, and leaves nothing behind", async () => {
    const during: string[] = [];
    const result = await withLock(
      locks,
      aLockRequest(),
      async (signal, lock) => {
        during.push(...locks.held());
        expect(signal.aborted).toBe(false);
        return lock.fence;
      },
      { now },
    );

    expect(result).toBe(1);
    expect(during).toEqual(["clinic-a/dump-repository job-1"]);
    expect(locks.held()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not begin while somebody else holds the lock", async () => {
    await locks.acquire(aLockRequest({ owner: "job-0" }));
    const work = vi.fn(async () => "done");

    await expect(withLock(locks, aLockRequest(), work, { now })).rejects.toThrow(/job-0/);
    expect(work).not.toHaveBeenCalled();
    expect(locks.held()).toEqual(["clinic-a/dump-repository job-0"]);
  });

  it("keeps the lock for longer than one lease", async () => {
    const running = withLock(locks, aLockRequest({ leaseSeconds: 60 }), lastFor(300), { now });
    await vi.advanceTimersByTimeAsync(299_000);
    expect(locks.held()).toEqual(["clinic-a/dump-repository job-1"]);
    await vi.advanceTimersByTimeAsync(1000);

    expect(await running).toBe("done");
    expect(locks.held()).toEqual([]);
  });

  it("is released when it fails, and passes the failure on", async () => {
    const failure = new Error("disk full");
    const work = async () => {
      throw failure;
    };

    await expect(withLock(locks, aLockRequest(), work, { now })).rejects.toBe(failure);
    expect(locks.held()).toEqual([]);
  });

  it("is released when it throws before it returns a promise", async () => {
    const work = (): Promise<never> => {
      throw new Error("at once");
    };

    await expect(withLock(locks, aLockRequest(), work, { now })).rejects.toThrow("at once");
    expect(locks.held()).toEqual([]);
  });

  it("is stopped when the lock is lost, and the successor keeps its own", async () => {
    const store: LockStore = {
      ...locks,
      acquire: async (request) => {
        const lock = await locks.acquire(request);
        await locks.release(lock); // an operator took it away
        await locks.acquire(aLockRequest({ owner: "job-2", leaseSeconds: 3600 }));
        return lock;
      },
    };
    const running = withLock(store, aLockRequest(), lastFor(300), { now });

    await expect(later(21, running)).rejects.toThrow(InstallationBusyError);
    expect(locks.held()).toEqual(["clinic-a/dump-repository job-2"]);
  });

  it("counts as failed when it came to its end without the lock", async () => {
    const store: LockStore = {
      ...locks,
      renew: async () => {
        throw new InstallationBusyError("taken by job-2");
      },
    };
    const deaf = () => new Promise<string>((resolve) => setTimeout(() => resolve("done"), 50_000));
    const running = withLock(store, aLockRequest(), deaf, { now });

    await expect(later(51, running)).rejects.toThrow("taken by job-2");
  });

  it("goes on through a fault of the store that ends before the lease does", async () => {
    let renewals = 0;
    const store: LockStore = {
      ...locks,
      renew: async (lock) => {
        renewals += 1;
        if (renewals === 1) throw new Error("network");
        return locks.renew(lock);
      },
    };
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const running = withLock(store, aLockRequest({ leaseSeconds: 60 }), lastFor(100), { now, warn });

    expect(await later(100, running)).toBe("done");
    expect(warnings).toEqual(["the lock dump-repository of clinic-a was not renewed (Error)"]);
  });

  it.each([
    {
      fault: "fails",
      renew: async () => {
        throw new Error("network");
      },
    },
    { fault: "does not answer", renew: () => new Promise<never>(() => undefined) },
  ])("is stopped at the end of its lease when the store $fault", async ({ renew }) => {
    const store: LockStore = { ...locks, renew };
    const running = withLock(store, aLockRequest({ leaseSeconds: 60 }), lastFor(300), { now });

    await expect(later(61, running)).rejects.toThrow(/not renewed in time/);
  });

  it("is stopped from outside, with the reason it was given", async () => {
    const controller = new AbortController();
    const running = withLock(locks, aLockRequest(), lastFor(300), { now, signal: controller.signal });
    running.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1000);
    controller.abort(new Error("the operator pressed Ctrl-C"));

    await expect(running).rejects.toThrow("Ctrl-C");
    expect(locks.held()).toEqual([]);
  });

  it("keeps its result when only the release fails, and says so", async () => {
    const store: LockStore = {
      ...locks,
      release: async () => {
        throw new Error("network");
      },
    };
    const warnings: string[] = [];
    const result = await withLock(store, aLockRequest(), async () => "done", {
      now,
      warn: (message) => warnings.push(message),
    });

    expect(result).toBe("done");
    expect(warnings).toEqual([expect.stringContaining("it runs out by itself")]);
  });
});
