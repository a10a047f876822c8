import { Readable } from "node:stream";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import type { Manifest } from "../manifest.ts";
import type { Copier } from "./copier.ts";
import type { StoredPart, StoreRun } from "./dumpStore.ts";
import { verifiedPieces } from "./pieces.ts";

/** Copies the two objects of a dump as they are, compressed and encrypted. No byte is sent on before its digest was compared. */
export const portableCopier = (from: Destination, to: Destination): Copier => {
  const copyObject = async (part: StoredPart, { signal, progress }: StoreRun): Promise<void> => {
    if (part.kind !== "object") throw new IntegrityError("the manifest names a snapshot where an object belongs");
    const { key } = part;
    const damaged = () =>
      new IntegrityError(`object ${key} at ${from.url} is damaged: its bytes are not those that were written`);
    const body = await from.get(key);
    if (!body) throw new IntegrityError(`object ${key} is not at ${from.url}`);
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of verifiedPieces(body, part, damaged)) {
        signal.throwIfAborted();
        bytes += chunk.length;
        progress({ step: "copy", bytes, totalBytes: part.byteLength });
        yield chunk;
      }
    };
    const receipt = await to.put(key, Readable.from(counted(), { objectMode: false }));
    if (receipt.sha256 !== part.sha256) throw damaged();
  };

  return {
    open: async () => {},
    halves: async ({ database, sites }: Manifest, run) => {
      await copyObject(database.part, run);
      await copyObject(sites.part, run);
    },
    seal: async () => {},
    parts: async ({ database, sites }) => ({ database: database.part, sites: sites.part }),
  };
};
