import { InstallationBusyError } from "./errors.ts";
import type { Lock, LockRequest, LockStore } from "./locks.ts";

export interface WithLockOptions {
  readonly now: () => Date;
  /** Aborts the work from outside; its reason is passed on. */
  readonly signal?: AbortSignal;
  /** How often the lease is renewed; not set, at each third of it. */
  readonly renewSeconds?: number;
  /** The owner continues with the lock when the work is done: it is not released here. */
  readonly keep?: boolean;
  /** Told of renewals and releases that failed and were not fatal. */
  readonly warn?: (message: string) => void;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

/**
 * Does `work` while holding a lock. The lease is renewed at each third of it; when it is lost to somebody else, or could
 * not be renewed until it ran out, the signal that `work` got is aborted. The lock is released however `work` ends, unless
 * it is to be kept.
 *
 * @throws {InstallationBusyError} retryable: somebody else holds the lock, or it was lost under way, even when `work`
 * then still came to its end
 * @throws what `work` throws
 */
export const withLock = async <T>(
  store: LockStore,
  request: LockRequest,
  work: (signal: AbortSignal, lock: Lock) => Promise<T>,
  { now, signal, keep = false, renewSeconds = request.leaseSeconds / 3, warn = () => undefined }: WithLockOptions,
): Promise<T> => {
  let lock = await store.acquire(request);
  let lost: InstallationBusyError | undefined;
  const leaseEnd = new AbortController();

  const lose = (error: InstallationBusyError): void => {
    lost ??= error;
    clearInterval(timer);
    leaseEnd.abort(lost);
  };
  const loseWhenOver = (): void => {
    if (now() < lock.expiresAt) return;
    lose(new InstallationBusyError(`the lock ${request.resource} of ${request.installation} was not renewed in time`));
  };
  const renew = async (): Promise<void> => {
    try {
      lock = await store.renew(lock);
    } catch (error) {
      if (error instanceof InstallationBusyError) lose(error);
      else warn(`the lock ${request.resource} of ${request.installation} was not renewed (${nameOf(error)})`);
    }
    loseWhenOver();
  };
  let renewing = false;
  const timer = setInterval(() => {
    if (renewing) return loseWhenOver(); // the store does not answer
    renewing = true;
    void renew().finally(() => {
      renewing = false;
    });
  }, renewSeconds * 1000);
  timer.unref();

  try {
    const result = await work(signal ? AbortSignal.any([signal, leaseEnd.signal]) : leaseEnd.signal, lock);
    if (lost) throw lost;
    return result;
  } catch (error) {
    throw lost ?? error;
  } finally {
    clearInterval(timer);
    if (!keep)
      await store.release(lock).catch((error: unknown) => {
        warn(
          `the lock ${request.resource} of ${request.installation} was not released (${nameOf(error)}); it runs out by itself`,
        );
      });
  }
};

/** The same with several locks, all or none of them, taken in this order. */
export const withLocks = <T>(
  store: LockStore,
  [first, ...others]: readonly LockRequest[],
  work: (signal: AbortSignal) => Promise<T>,
  options: WithLockOptions & { readonly signal: AbortSignal },
): Promise<T> =>
  first
    ? withLock(store, first, (signal) => withLocks(store, others, work, { ...options, signal }), options)
    : work(options.signal);
