import { createHash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { announcedOnly } from "@openemr-ops/files/byteSink";
import { type Manifest, readManifest } from "../manifest.ts";
import type { StoredPart } from "../store/dumpStore.ts";

/** Where a dump should lie, and in what form. */
export interface ExpectedDump {
  readonly installation: string;
  readonly format: "restic" | "portable";
  readonly destination: Destination;
}

/** A snapshot's own object is a page of JSON. Bytes. */
const largestSnapshot = 1024 * 1024;

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
  for await (const chunk of announcedOnly(
    body,
    largestSnapshot,
    () => new IntegrityError(`${half}: object ${key} is damaged`),
  ))
    digest.update(chunk);
  if (digest.digest("hex") !== part.snapshotId)
    throw new IntegrityError(`${half}: object ${key} is damaged: its bytes are not those that were written`);
};

/** What the task that took the dump says of it, through a channel that nobody at the destination can write to. */
export interface ReportedDump {
  readonly dumpId?: string | undefined;
  /** Older tasks do not tell these two. */
  readonly manifestDigest?: string | undefined;
  readonly manifestSnapshot?: string | undefined;
  /** Of a copy: its snapshots have other identifiers than its manifest names. */
  readonly databaseSnapshot?: string | undefined;
  readonly sitesSnapshot?: string | undefined;
}

/** A snapshot that a task names. @throws {IntegrityError} it is no identifier of one */
const namedSnapshot = (snapshotId: string, what: string): StoredPart => {
  if (/^[0-9a-f]{64}$/.test(snapshotId)) return { kind: "snapshot", snapshotId };
  throw new IntegrityError(`the task named no snapshot that holds ${what}`);
};

/**
 * Looks at the destination itself: the very manifest that the task reports is there and sound, and so are both halves and
 * the manifest's sealed copy. Other dumps do not matter: whoever may write there could add one. Needs no password and
 * changes nothing.
 *
 * @throws {IntegrityError} fatal: names what is amiss
 * @throws the `Destination…Error` family
 */
export const confirmDump = async (reported: ReportedDump, expected: ExpectedDump): Promise<Manifest> => {
  const { installation, format, destination } = expected;
  const { dumpId, manifestDigest, manifestSnapshot } = reported;
  if (dumpId === undefined || !ulidPattern.test(dumpId))
    throw new IntegrityError("the task named no dump that it took; no dump counts");
  const manifest = await readManifest(destination, installation, dumpId);
  if (!manifest) throw new IntegrityError(`dump ${dumpId} has no manifest at ${destination.url}`);
  if (manifestDigest !== undefined && manifest.digest !== manifestDigest)
    throw new IntegrityError(
      `the manifest of dump ${dumpId} at ${destination.url} is not the one that the task wrote: somebody replaced it`,
    );
  if (manifest.format !== format)
    throw new IntegrityError(`dump ${dumpId} is in the ${manifest.format} format, expected ${format}`);
  const { databaseSnapshot, sitesSnapshot } = reported;
  const parts = [
    [`the database of dump ${dumpId}`, databaseSnapshot, manifest.database.part],
    [`the sites tree of dump ${dumpId}`, sitesSnapshot, manifest.sites.part],
  ] as const;
  for (const [half, snapshot, part] of parts)
    await assertStored(snapshot === undefined ? part : namedSnapshot(snapshot, half), half, destination);
  if (manifestSnapshot !== undefined) {
    const part = namedSnapshot(manifestSnapshot, `the manifest of dump ${dumpId}`);
    await assertStored(part, `the sealed manifest of dump ${dumpId}`, destination);
  }
  return manifest;
};
