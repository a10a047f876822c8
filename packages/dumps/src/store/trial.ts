import { createHash } from "node:crypto";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulid } from "@openemr-ops/core/ids";
import type { DumpStore, StoredPart, StoreRun } from "./dumpStore.ts";

/** A store of its own at a folder of a destination, to be tried out and cleared away. */
export interface TrialStore {
  readonly store: DumpStore;
  /** The same under the rights that delete old dumps. */
  readonly remover?: DumpStore;
  /** Removes what is no object, once all objects are deleted; only a directory has such. */
  clear(): Promise<void>;
}

/** One step of a trial: `work` returns a remark, or throws what is wrong. */
export interface Trial {
  readonly check: string;
  work(): Promise<string | undefined>;
}

const bytes = Buffer.from("-- a dump of nothing\n".repeat(1000));
const sha256 = (text: Buffer): string => createHash("sha256").update(text).digest("hex");

/** All that dumps, checks, restores and retention make the store's own program do, on a few bytes. Each step needs the one before. */
export const trialsOf = (
  { store, remover = store }: Pick<TrialStore, "store" | "remover">,
  now: () => Date,
  run: StoreRun,
): readonly Trial[] => {
  const dumpId = ulid(now());
  let part: StoredPart | undefined;
  const written = (): StoredPart => {
    if (!part) throw new IntegrityError("nothing was stored");
    return part;
  };
  return [
    {
      check: "the store's program is supported, and makes a repository",
      work: async () => {
        const tools = await store.describeTools();
        await store.open(true, run);
        return Object.entries(tools)
          .map(([name, version]) => `${name} ${version}`)
          .join(", ");
      },
    },
    {
      check: "it stores a stream and gives it back",
      work: async () => {
        part = await store.writeDatabase({ dumpId, takenAt: now() }, async (sink) => sink(bytes), run);
        const found: Buffer[] = [];
        const collect = async (stream: AsyncIterable<Buffer>) => {
          for await (const chunk of stream) found.push(chunk);
        };
        await store.readDatabase(written(), collect, run);
        if (sha256(Buffer.concat(found)) !== sha256(bytes)) throw new IntegrityError("other bytes came back");
        return undefined;
      },
    },
    {
      check: "it checks what it stored",
      work: async () => {
        await store.verify("read-data", [written()], run);
        return undefined;
      },
    },
    {
      check: "it removes a dump, gives the space back and leaves no lock",
      work: async () => {
        await remover.remove([{ dumpId, parts: [written()] }], run);
        await remover.reclaim(run);
        if ((await store.presentParts([written()])).size > 0) throw new IntegrityError("it is still there");
        return undefined;
      },
    },
  ];
};
