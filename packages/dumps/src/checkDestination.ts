import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Destination } from "@openemr-ops/core/destination";
import { toOpsError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import { type Immutability, type ObserveProtection, protectionProblem } from "@openemr-ops/core/immutability";
import { compareKeys } from "@openemr-ops/core/objectKeys";
import { type TrialStore, trialsOf } from "./store/trial.ts";

/** One thing that the product needs of a destination, tried out. */
export interface DestinationFinding {
  /** What was tried, in words. */
  readonly check: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  /** What came instead, or a quirk worth knowing; empty when there is nothing to say. */
  readonly note: string;
}

export interface CheckDestinationOptions {
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic?: () => number;
  /** Aborted when someone asks to stop; what was written is removed all the same. */
  readonly signal?: AbortSignal;
  /** Asks the store where it is; throws when data may not go there. */
  readonly assertPlace?: (() => Promise<void>) | undefined;
  /** The destination under the rights that delete old dumps; not set, under the same as all else. */
  readonly remover?: Destination | undefined;
  /** What the configuration says that the store protects, and who tries to destroy it. */
  readonly immutability?: {
    readonly wanted: Immutability;
    readonly attackers: readonly { readonly name: string; readonly observe: ObserveProtection }[];
  };
  /** Opens a store at a folder of the destination; given where dumps are kept by a program that goes there by itself. */
  readonly openTrial?: ((folder: string) => Promise<TrialStore>) | undefined;
}

/** More than one part of any store's multi-part upload, made as it flows. */
const largeBytes = 24 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
const oddName = "odd name +%41 ü'(漢)~.txt";

const chunk = (index: number): Buffer => Buffer.alloc(chunkBytes, createHash("sha256").update(String(index)).digest());

const largeStream = (): Readable =>
  Readable.from(
    (function* () {
      for (let index = 0; index < largeBytes / chunkBytes; index += 1) yield chunk(index);
    })(),
    { objectMode: false },
  );

const digestOf = async (stream: Readable): Promise<{ byteLength: number; sha256: string }> => {
  const hash = createHash("sha256");
  let byteLength = 0;
  for await (const part of stream) {
    hash.update(part);
    byteLength += part.length;
  }
  return { byteLength, sha256: hash.digest("hex") };
};

/**
 * Tries out all that dumps ask of a destination, on objects of its own below `scratch/`, which it removes again whatever
 * happens: by our own calls, then by the store's program, which has a way and needs of its own. Never throws for what the store does wrong: that is a finding. Safe to run beside a dump.
 *
 * @throws the reason of `signal`, once what was written is removed
 * @returns one finding a check, in the order they were made; once a check that others stand on fails, those are left out
 */
export const checkDestination = async (
  destination: Destination,
  {
    now,
    monotonic = () => performance.now(),
    signal,
    assertPlace,
    remover = destination,
    immutability,
    openTrial,
  }: CheckDestinationOptions,
): Promise<readonly DestinationFinding[]> => {
  const findings: DestinationFinding[] = [];
  const folder = `scratch/${ulid(now())}`;
  const touched = new Set<string>();
  const at = (name: string): string => {
    const key = `${folder}/${name}`;
    touched.add(key);
    return key;
  };

  /** `work` returns a note, or throws what is wrong. Nothing is tried once someone asked to stop. */
  const attempt = async (check: string, work: () => Promise<string | undefined>): Promise<boolean> => {
    signal?.throwIfAborted();
    return carriedOut(check, work);
  };
  const carriedOut = async (check: string, work: () => Promise<string | undefined>): Promise<boolean> => {
    const begun = monotonic();
    const record = (ok: boolean, note: string) => {
      findings.push({ check, ok, milliseconds: Math.round(monotonic() - begun), note });
      return ok;
    };
    try {
      return record(true, (await work()) ?? "");
    } catch (error) {
      return record(false, error instanceof Complaint ? error.message : describeFailure(error));
    }
  };
  const textOf = async (key: string): Promise<string | undefined> => {
    const stream = await destination.get(key);
    if (!stream) return undefined;
    const chunks: Buffer[] = [];
    for await (const part of stream) chunks.push(part);
    return Buffer.concat(chunks).toString("utf8");
  };
  const expectText = async (key: string, text: string): Promise<void> => {
    const found = await textOf(key);
    if (found === undefined) throw new Complaint("the object is absent right after it was written");
    if (found !== text) throw new Complaint("the object's bytes are not those that were written");
  };
  const listed = async (prefix: string): Promise<readonly string[]> => {
    const keys: string[] = [];
    for await (const { key } of destination.list(prefix)) keys.push(key);
    return keys;
  };

  const steps = async (): Promise<void> => {
    const absentFine = await attempt("an absent object differs from an error", async () => {
      const stream = await destination.get(at("absent"));
      stream?.destroy();
      if (stream || (await destination.describe(at("absent"))))
        throw new Complaint("an object that nobody wrote is there");
      return undefined;
    });
    if (!absentFine) return;

    const writes = await attempt("a small object comes back as it was written", async () => {
      await destination.put(at("small"), Buffer.from("first"));
      await expectText(at("small"), "first");
      return clockNote((await destination.describe(at("small")))?.modifiedAt, now());
    });
    if (!writes) return;

    await attempt("a second write replaces the first at once", async () => {
      await destination.put(at("small"), Buffer.from("second"));
      await expectText(at("small"), "second");
      return undefined;
    });
    await attempt("an empty object is kept", async () => {
      await destination.put(at("empty"), Buffer.alloc(0));
      await expectText(at("empty"), "");
      return undefined;
    });
    await attempt(`a stream of ${largeBytes / 1024 / 1024} MiB comes back as it was written`, async () => {
      const written = await destination.put(at("large"), largeStream());
      const stream = await destination.get(at("large"));
      if (!stream) throw new Complaint("the object is absent right after it was written");
      const found = await digestOf(stream);
      if (found.sha256 !== written.sha256) throw new Complaint(`${found.byteLength} other bytes came back`);
      return undefined;
    });
    await attempt("a stream that breaks off leaves nothing", async () => {
      const source = largeStream();
      let seen = 0;
      const broken = Readable.from(
        (async function* () {
          for await (const part of source) {
            seen += part.length;
            if (seen > largeBytes / 2) throw new Complaint("broken off on purpose");
            yield part;
          }
        })(),
        { objectMode: false },
      );
      const outcome = await destination.put(at("broken"), broken).catch((error: unknown) => error);
      if (!(outcome instanceof Complaint)) throw outcome instanceof Error ? outcome : new Complaint("it was stored");
      if (await destination.describe(at("broken"))) throw new Complaint("half an object is there");
      return undefined;
    });
    await attempt("a name with spaces, signs and other scripts is kept", async () => {
      await destination.put(at(oddName), Buffer.from("odd"));
      await expectText(at(oddName), "odd");
      if (!(await listed(`${folder}/odd`)).includes(at(oddName)))
        throw new Complaint("the listing spells it differently");
      return undefined;
    });
    await attempt("the listing is whole, in the order of the keys, and only of what was asked for", async () => {
      for (const name of ["list/b", "list/a/c", "list/a-c"]) await destination.put(at(name), Buffer.from(name));
      const found = await listed(`${folder}/list/`);
      const expected = ["list/b", "list/a/c", "list/a-c"].map(at);
      const missing = expected.filter((key) => !found.includes(key));
      if (missing.length > 0) throw new Complaint(`${missing.length} of 3 objects are not listed`);
      if (found.length > 3) throw new Complaint("objects are listed that nobody asked for");
      return found.join() === [...expected].sort(compareKeys).join() ? undefined : "quirk: keys come in another order";
    });
    await attempt("a deleted object is gone, and deleting it again is no error", async () => {
      await remover.delete(at("small"));
      if ((await textOf(at("small"))) !== undefined) throw new Complaint("it can still be read");
      if ((await listed(`${folder}/small`)).length > 0) throw new Complaint("it is still listed");
      await remover.delete(at("small"));
      return undefined;
    });
  };

  let trial: TrialStore | undefined;
  const tryStore = async (): Promise<void> => {
    if (!openTrial) return;
    trial = await openTrial(`${folder}/store`);
    const run = { signal: signal ?? new AbortController().signal, progress: () => {} };
    for (const { check, work } of trialsOf(trial, now, run)) if (!(await attempt(check, work))) return;
  };

  /** Objects that the store keeps although they were deleted: that is the point. */
  const kept = new Set<string>();
  const tryProtection = async (): Promise<void> => {
    for (const [index, { name, observe }] of (immutability?.attackers ?? []).entries()) {
      const wanted = immutability?.wanted ?? { days: 0 };
      await attempt(`what is written cannot be deleted or overwritten for ${wanted.days} days by ${name}`, async () => {
        const key = `${folder}/locked-${index}`;
        kept.add(key);
        const at = now();
        const observed = await observe(key);
        const problem = protectionProblem(observed, wanted, at);
        if (problem !== undefined) throw new Complaint(problem);
        return `a few bytes stay until ${observed.until?.toISOString()}`;
      });
    }
  };

  const isAllowed = async () =>
    !assertPlace ||
    attempt("the store is where the configuration allows data to be", async () => void (await assertPlace()));
  if (!(await isAllowed())) return findings;

  try {
    await steps();
    await tryStore();
    await tryProtection();
  } finally {
    await carriedOut("what the check wrote is removed", async () => {
      const failures: unknown[] = [];
      const remove = (key: string) => remover.delete(key).catch((error: unknown) => failures.push(error));
      for (const key of touched) await remove(key);
      if (trial) for (const key of await listed(`${folder}/store/`)) await remove(key);
      if (failures.length > 0) throw failures[0];
      for (const key of kept) await remover.delete(key).catch(() => {}); // a mark that hides it, where the store has such
      const left = (await listed(`${folder}/`)).filter((key) => !kept.has(key));
      if (left.length > 0) throw new Complaint(`${left.length} objects below ${folder}/ are still there: remove them`);
      await trial?.clear();
      return undefined;
    });
  }
  signal?.throwIfAborted();
  return findings;
};

class Complaint extends Error {}

const describeFailure = (error: unknown): string => {
  const { name, message } = toOpsError(error);
  return `${name}: ${message}`;
};

const clockNote = (modifiedAt: Date | undefined, now: Date): string | undefined => {
  if (!modifiedAt) throw new Complaint("the object cannot be described");
  const seconds = Math.round(Math.abs(modifiedAt.getTime() - now.getTime()) / 1000);
  return seconds > 60 ? `quirk: the store's clock and ours differ by ${seconds} s` : undefined;
};
