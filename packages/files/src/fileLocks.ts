import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type InstallationBusyError, InvalidInputError } from "@openemr-ops/core/errors";
import { type Lock, type LockRequest, type LockStore, lockIsHeld } from "@openemr-ops/core/locks";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import * as z from "zod";
import { isDead, type ProcessIdentity, thisProcess } from "./processIdentity.ts";
import { createFile, readState, stateFailure, stateFiles } from "./stateFiles.ts";

const State = z.object({
  owner: z.string(),
  fence: z.int().positive(),
  expiresAt: z.iso.datetime(),
  released: z.boolean(),
  holder: z.object({ host: z.string(), pid: z.int(), startedAt: z.string() }),
});
type State = z.infer<typeof State>;

export interface FileLocksSettings {
  readonly directory: string;
  readonly now: () => Date;
  /** Told when a lock's file cannot be read and is set aside. */
  readonly warn?: (message: string) => void;
  /** Who we are; for tests of what happens between machines. */
  readonly identity?: ProcessIdentity;
}

export interface FileLocks extends LockStore {
  /** The job that holds a lock now; acquires nothing. */
  holder(held: Pick<LockRequest, "installation" | "resource">): Promise<string | undefined>;
}

/** Readers of a directory that changes meanwhile may miss a file; none misses this many. */
const generationsKept = 32;
const generationPattern = /^(\d{12})\.json(\.damaged)?$/;

const checkedName = (value: string, path: string): string => {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(value)) return value;
  throw new InvalidInputError([{ path, message: `${JSON.stringify(value.slice(0, 80))} cannot name a lock` }]);
};

/**
 * Locks in a directory that all contenders see, local or NFS. Each change of a lock is a new numbered file, made with a
 * link that fails when the number is taken: of several that try to take, renew or free a lock in the same state exactly
 * one succeeds, and a crash leaves the old state or the new one. The highest readable number counts. A holder that died
 * on this machine is out at once, any other when its lease ends.
 *
 * Leases assume that the clocks of machines that share the directory agree to within a fraction of `leaseSeconds`.
 */
export const fileLocks = ({ directory, now, warn = () => undefined, identity }: FileLocksSettings): FileLocks => {
  const self = identity ?? thisProcess();

  const folderOf = ({ installation, resource }: Pick<LockRequest, "installation" | "resource">): string =>
    join(directory, checkedName(installation, "installation"), checkedName(resource, "resource"));

  const setAside = async (path: string): Promise<void> => {
    const damaged = `${path}.damaged`;
    warn(`the lock file ${path} is not readable as one; set aside as ${damaged}`);
    await rename(path, damaged).catch((error: unknown) => {
      if (systemCodeOf(error) !== "ENOENT") throw stateFailure(error, path); // another contender did it
    });
  };

  const stateIn = async (path: string): Promise<State | undefined> => {
    const text = await readState(path);
    if (!text) return undefined;
    try {
      return State.parse(JSON.parse(text.toString()));
    } catch {
      await setAside(path);
      return undefined;
    }
  };

  /** The number of the newest change, damaged or not, and the newest state that can be read. */
  const look = async (folder: string): Promise<{ generation: number; state: State | undefined }> => {
    const found = (await stateFiles(folder, now()))
      .map((name) => generationPattern.exec(name))
      .filter((match) => match !== null)
      .map(([name, number, damaged]) => ({ name, generation: Number(number), damaged: damaged !== undefined }))
      .sort((one, other) => other.generation - one.generation);
    const generation = found[0]?.generation ?? 0;
    for (const file of found) {
      const state = file.damaged ? undefined : await stateIn(join(folder, file.name));
      if (state) return { generation, state };
    }
    return { generation, state: undefined };
  };

  const prune = async (folder: string, newest: number): Promise<void> => {
    for (const name of await stateFiles(folder, now())) {
      const number = Number(generationPattern.exec(name)?.[1] ?? newest);
      if (number <= newest - generationsKept) await rm(join(folder, name), { force: true });
    }
  };

  /** Makes `state` the lock's next one; false when somebody else was first. */
  const advance = async (folder: string, from: number, state: State): Promise<boolean> => {
    const next = from + 1;
    const made = await createFile(join(folder, `${String(next).padStart(12, "0")}.json`), JSON.stringify(state));
    if (!made || (await look(folder)).generation !== next) return false; // the number had been used and tidied away
    await prune(folder, next);
    return true;
  };

  const isFree = (state: State): boolean =>
    state.released || new Date(state.expiresAt) <= now() || isDead(state.holder, self);

  const busy = (request: LockRequest, state: State | undefined): InstallationBusyError =>
    lockIsHeld(
      request,
      state && !state.released ? { owner: state.owner, leaseEndsAt: new Date(state.expiresAt) } : undefined,
    );

  const held = (request: LockRequest, fence: number): { lock: Lock; state: State } => {
    const expiresAt = new Date(now().getTime() + request.leaseSeconds * 1000);
    const { installation, resource, owner, leaseSeconds } = request;
    return {
      lock: { installation, resource, owner, leaseSeconds, fence, expiresAt },
      state: { owner, fence, expiresAt: expiresAt.toISOString(), released: false, holder: self },
    };
  };

  const acquire = async (request: LockRequest): Promise<Lock> => {
    const folder = folderOf(request);
    for (;;) {
      const { generation, state } = await look(folder);
      const ours = state?.owner === request.owner && !state.released;
      if (state && !ours && !isFree(state)) throw busy(request, state);
      const next = held(request, ours ? state.fence : generation + 1);
      if (await advance(folder, generation, next.state)) return next.lock;
    }
  };

  const renew = async (lock: Lock): Promise<Lock> => {
    const folder = folderOf(lock);
    for (;;) {
      const { generation, state } = await look(folder);
      if (state?.fence !== lock.fence || state.owner !== lock.owner || state.released) throw busy(lock, state);
      const next = held(lock, lock.fence);
      if (await advance(folder, generation, next.state)) return next.lock;
    }
  };

  const release = async (lock: Lock): Promise<void> => {
    const folder = folderOf(lock);
    for (;;) {
      const { generation, state } = await look(folder);
      if (state?.fence !== lock.fence || state.owner !== lock.owner || state.released) return;
      if (await advance(folder, generation, { ...state, released: true })) return;
    }
  };

  const expireWithin: LockStore["expireWithin"] = async (request, seconds) => {
    const folder = folderOf(request);
    for (;;) {
      const { generation, state } = await look(folder);
      if (state?.owner !== request.owner || state.released) return;
      const latest = new Date(now().getTime() + seconds * 1000).toISOString();
      if (seconds > 0 && state.expiresAt <= latest) return;
      const next = seconds > 0 ? { ...state, expiresAt: latest } : { ...state, released: true };
      if (await advance(folder, generation, next)) return;
    }
  };

  const holder: FileLocks["holder"] = async (lock) => {
    const { state } = await look(folderOf(lock));
    return state && !isFree(state) ? state.owner : undefined;
  };

  return { acquire, renew, release, expireWithin, holder };
};
