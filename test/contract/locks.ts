import { InstallationBusyError } from "@openemr-ops/core/errors";
import type { Lock, LockRequest, LockStore } from "@openemr-ops/core/locks";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type ManualClock, manualClock } from "../support/manualClock.ts";

export const aLockRequest = (changes: Partial<LockRequest> = {}): LockRequest => ({
  installation: "clinic-a",
  resource: "dump-repository",
  owner: "job-1",
  leaseSeconds: 60,
  ...changes,
});

type Step =
  | { readonly do: "acquire" | "renew" | "release"; readonly owner: string }
  | { readonly do: "wait"; readonly seconds: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("acquire" as const, "renew" as const, "release" as const),
    owner: fc.constantFrom("job-1", "job-2", "job-3"),
  }),
  fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 20, 59, 60, 61) }),
);

/**
 * What the product expects of every store of locks. `open` gives a store without locks; with the same clock and name
 * given again, another client of the same store.
 */
export const lockContract = (name: string, open: (clock: ManualClock) => Promise<() => LockStore>): void => {
  describe(`${name} as a store of locks`, () => {
    let clock: ManualClock;
    let one: LockStore;
    let other: LockStore;
    beforeEach(async () => {
      clock = manualClock();
      const client = await open(clock);
      one = client();
      other = client();
    });

    it("gives a free lock, and says until when", async () => {
      const request = aLockRequest();

      expect(await one.acquire(request)).toEqual({
        ...request,
        fence: expect.any(Number),
        expiresAt: new Date("2026-11-20T12:01:00.000Z"),
      });
    });

    it("refuses a second job, naming the holder and the end of its lease", async () => {
      await one.acquire(aLockRequest());

      const refusal = other.acquire(aLockRequest({ owner: "job-2" }));
      await expect(refusal).rejects.toThrow(InstallationBusyError);
      await expect(refusal).rejects.toThrow(/job-1.*2026-11-20T12:01:00.000Z/);
    });

    it("keeps installations and resources apart", async () => {
      await one.acquire(aLockRequest());

      await expect(other.acquire(aLockRequest({ owner: "job-2", installation: "clinic-b" }))).resolves.toBeDefined();
      await expect(other.acquire(aLockRequest({ owner: "job-2", resource: "service" }))).resolves.toBeDefined();
    });

    it("gives a released lock to the next job, with a higher fence", async () => {
      const first = await one.acquire(aLockRequest());
      await one.release(first);
      const second = await other.acquire(aLockRequest({ owner: "job-2" }));

      expect(second.fence).toBeGreaterThan(first.fence);
    });

    it("gives a new fence to a job that comes back after it released its lock", async () => {
      const first = await one.acquire(aLockRequest());
      await one.release(first);
      const second = await one.acquire(aLockRequest());

      expect(second.fence).toBeGreaterThan(first.fence);
      await expect(one.renew(first)).rejects.toThrow(InstallationBusyError);
    });

    it("frees the lock of a silent owner when its lease ends, not before", async () => {
      await one.acquire(aLockRequest());
      clock.advance(59);
      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(InstallationBusyError);

      clock.advance(1);
      expect((await other.acquire(aLockRequest({ owner: "job-2" }))).owner).toBe("job-2");
    });

    it("lasts longer when renewed, with the same fence", async () => {
      const lock = await one.acquire(aLockRequest());
      clock.advance(50);
      const renewed = await one.renew(lock);
      clock.advance(50);

      expect(renewed).toEqual({ ...lock, expiresAt: new Date("2026-11-20T12:01:50.000Z") });
      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(InstallationBusyError);
    });

    it("renews the lease of an owner that asks again, as a repeated start of one job does", async () => {
      const lock = await one.acquire(aLockRequest());
      clock.advance(30);
      const again = await other.acquire(aLockRequest());

      expect(again).toEqual({ ...lock, expiresAt: new Date("2026-11-20T12:01:30.000Z") });
    });

    it("does not renew what somebody else has taken", async () => {
      const lock = await one.acquire(aLockRequest());
      clock.advance(61);
      const successor = await other.acquire(aLockRequest({ owner: "job-2" }));

      await expect(one.renew(lock)).rejects.toThrow(InstallationBusyError);
      expect((await other.renew(successor)).fence).toBe(successor.fence);
    });

    it("does not free a successor's lock", async () => {
      const lock = await one.acquire(aLockRequest());
      clock.advance(61);
      await other.acquire(aLockRequest({ owner: "job-2" }));

      await one.release(lock);
      await expect(one.acquire(aLockRequest({ owner: "job-3" }))).rejects.toThrow(/job-2/);
    });

    it("releases a lock twice without complaint", async () => {
      const lock = await one.acquire(aLockRequest());
      await one.release(lock);
      await one.release(lock);

      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).resolves.toBeDefined();
    });

    it("releases a lock by the owner's name alone, and its holder finds out", async () => {
      const lock = await one.acquire(aLockRequest());
      await other.expireWithin(aLockRequest(), 0);
      await other.expireWithin(aLockRequest(), 0);

      await expect(one.renew(lock)).rejects.toThrow(InstallationBusyError);
      const second = await other.acquire(aLockRequest({ owner: "job-2" }));
      expect(second.fence).toBeGreaterThan(lock.fence);
    });

    it("shortens a lease, never lengthens one", async () => {
      const lock = await one.acquire(aLockRequest());
      await other.expireWithin(aLockRequest(), 30);
      await other.expireWithin(aLockRequest(), 3600);
      clock.advance(29);
      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(/job-1.*2026-11-20T12:00:30.000Z/);

      clock.advance(1);
      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).resolves.toBeDefined();
      await expect(one.renew(lock)).rejects.toThrow(InstallationBusyError);
    });

    it("leaves another owner's lock alone, on whoever's word", async () => {
      await other.expireWithin(aLockRequest(), 0);
      const lock = await one.acquire(aLockRequest());
      await other.expireWithin(aLockRequest({ owner: "job-2" }), 0);
      await other.expireWithin(aLockRequest({ resource: "service" }), 0);
      await other.expireWithin(aLockRequest({ installation: "clinic-b" }), 1);

      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(InstallationBusyError);
      expect(await one.renew(lock)).toEqual(lock);
    });

    it("gives the lock to one of many that ask at once", async () => {
      const owners = Array.from({ length: 12 }, (_, index) => `job-${index}`);
      const outcomes = await Promise.allSettled(
        owners.map((owner, index) => (index % 2 ? one : other).acquire(aLockRequest({ owner }))),
      );

      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    it("renews a hundred times and stays one lock", async () => {
      let lock = await one.acquire(aLockRequest());
      const { fence } = lock;
      for (let round = 0; round < 100; round += 1) {
        clock.advance(20);
        lock = await one.renew(lock);
      }

      expect(lock.fence).toBe(fence);
      await expect(other.acquire(aLockRequest({ owner: "job-2" }))).rejects.toThrow(InstallationBusyError);
      await one.release(lock);
      expect((await other.acquire(aLockRequest({ owner: "job-2" }))).fence).toBeGreaterThan(fence);
    });

    it("never has two holders, in any sequence of calls", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (steps) => {
          const time = manualClock();
          const client = await open(time);
          const store = client();
          const held = new Map<string, Lock>();
          let highestFence = 0;
          const holders = () => [...held.values()].filter(({ expiresAt }) => expiresAt > time.now());
          for (const step of steps) {
            if (step.do === "wait") {
              time.advance(step.seconds);
              continue;
            }
            const mine = held.get(step.owner);
            try {
              if (step.do === "acquire") {
                const lock = await store.acquire(aLockRequest({ owner: step.owner }));
                if (lock.fence !== mine?.fence) expect(lock.fence).toBeGreaterThan(highestFence);
                highestFence = lock.fence;
                held.set(step.owner, lock);
              } else if (step.do === "renew" && mine) {
                held.set(step.owner, await store.renew(mine));
              } else if (mine) {
                await store.release(mine);
                held.delete(step.owner);
              }
            } catch (error) {
              expect(error).toBeInstanceOf(InstallationBusyError);
              if (step.do === "renew") held.delete(step.owner);
              else expect(holders().map(({ owner }) => owner)).not.toEqual([]);
            }
            expect(holders().length).toBeLessThan(2);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
};
