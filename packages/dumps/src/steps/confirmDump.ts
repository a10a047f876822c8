import { createHash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { listManifestIds, type Manifest, readManifest } from "../manifest.ts";
import type { StoredPart } from "../store/dumpStore.ts";

/** Where a dump should lie, and in what form. */
export interface ExpectedDump {
  readonly installation: string;
  readonly format: "restic" | "portable";
  readonly destination: Destination;
}

/**
 * A snapshot's own object is small, and named by the SHA-256 of its bytes; an object may be large, so its length has to do:
 * its bytes were read back when it was written. Source: restic's doc/design.rst.
 */
const assertStored = async (part: StoredPart, half: string, destination: Destination): Promise<void> => {
  if (part.kind === "object") {
    const stored = await destination.describe(part.key);
    if (stored?.byteLength === part.byteLength) return;
    throw new IntegrityError(
      `${half}: object ${part.key} is ${stored ? "of another size than was written" : "absent"}`,
    );
  }
  const key = `snapshots/${part.snapshotId}`;
  const body = await destination.get(key);
  if (!body) throw new IntegrityError(`${half}: snapshot ${key} is absent`);
  const digest = createHash("sha256");
  for await (const chunk of body) digest.update(chunk as Buffer);
  if (digest.digest("hex") !== part.snapshotId)
    throw new IntegrityError(`${half}: object ${key} is damaged: its bytes are not those that were written`);
};

/**
 * Looks at the destination itself, whatever the program that took the dump says of it: the manifest is there and sound,
 * both halves are there, and no newer dump is, so that `latest` means this one. Needs no password and changes nothing.
 *
 * @throws {IntegrityError} fatal: names what is amiss
 * @throws the `Destination…Error` family
 */
export const confirmDump = async (dumpId: string | undefined, expected: ExpectedDump): Promise<Manifest> => {
  const { installation, format, destination } = expected;
  if (dumpId === undefined || !ulidPattern.test(dumpId))
    throw new IntegrityError("the task named no dump that it took; no dump counts");
  const manifest = await readManifest(destination, installation, dumpId);
  if (!manifest) throw new IntegrityError(`dump ${dumpId} has no manifest at ${destination.url}`);
  if (manifest.format !== format)
    throw new IntegrityError(`dump ${dumpId} is in the ${manifest.format} format, expected ${format}`);
  await assertStored(manifest.database.part, `the database of dump ${dumpId}`, destination);
  await assertStored(manifest.sites.part, `the sites tree of dump ${dumpId}`, destination);
  const [newest] = await listManifestIds(destination, installation);
  if (newest !== dumpId)
    throw new IntegrityError(`dump ${dumpId} is not the newest at ${destination.url}: ${newest} is`);
  return manifest;
};
