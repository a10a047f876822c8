import { type Lock, type LockRequest, type LockStore, lockIsHeld } from "@openemr-ops/core/locks";

/** Locks that live in this process, and show who holds what. */
export interface MemoryLocks extends LockStore {
  /** Unexpired locks as `installation/resource owner`. */
  held(): readonly string[];
}

export const memoryLocks = (now: () => Date = () => new Date()): MemoryLocks => {
  const locks = new Map<string, Lock>();
  const fences = new Map<string, number>();
  const nameOf = ({ installation, resource }: Pick<LockRequest, "installation" | "resource">): string =>
    `${installation}/${resource}`;
  const expiry = ({ leaseSeconds }: LockRequest): Date => new Date(now().getTime() + leaseSeconds * 1000);
  const busy = (request: Pick<LockRequest, "installation" | "resource">, holder: Lock | undefined) =>
    lockIsHeld(request, holder && { owner: holder.owner, leaseEndsAt: holder.expiresAt });
  const isHeldBy = (lock: Lock): boolean => {
    const held = locks.get(nameOf(lock));
    return held?.fence === lock.fence && held.owner === lock.owner;
  };

  return {
    held: () =>
      [...locks].filter(([, { expiresAt }]) => expiresAt > now()).map(([name, { owner }]) => `${name} ${owner}`),
    async acquire(request) {
      const name = nameOf(request);
      const holder = locks.get(name);
      const ours = holder?.owner === request.owner;
      if (holder && !ours && holder.expiresAt > now()) throw busy(request, holder);
      const fence = ours ? holder.fence : (fences.get(name) ?? 0) + 1;
      const lock = { ...request, fence, expiresAt: expiry(request) };
      locks.set(name, lock);
      fences.set(name, fence);
      return lock;
    },
    async renew(lock) {
      if (!isHeldBy(lock)) throw busy(lock, locks.get(nameOf(lock)));
      const renewed = { ...lock, expiresAt: expiry(lock) };
      locks.set(nameOf(lock), renewed);
      return renewed;
    },
    async release(lock) {
      if (isHeldBy(lock)) locks.delete(nameOf(lock));
    },
    async expireWithin(held, seconds) {
      const lock = locks.get(nameOf(held));
      if (lock?.owner !== held.owner) return;
      const latest = new Date(now().getTime() + seconds * 1000);
      if (seconds <= 0) locks.delete(nameOf(held));
      else if (lock.expiresAt > latest) locks.set(nameOf(held), { ...lock, expiresAt: latest });
    },
  };
};
