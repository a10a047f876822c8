import { hash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { KeyProof } from "@openemr-ops/openemr/keyProof";
import * as z from "zod";

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const moment = z.iso.datetime();

const StoredPart = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("snapshot"), snapshotId: sha256 }),
  z.object({
    kind: z.literal("object"),
    key: z.string().min(1),
    byteLength: count,
    sha256,
    pieces: z.object({ byteLength: z.int().positive(), sha256: z.array(sha256).readonly() }).optional(),
  }),
]);

/** What the source lacked or had wrong when it was dumped: said loudly, and not held against a later drill. */
export const SourceWarning = z.object({
  code: z.string(),
  message: z.string(),
  count: count.optional(),
});
export type SourceWarning = z.infer<typeof SourceWarning>;

/** The table of contents of one dump. Without it there is no dump, only a run that has not ended. No patient data. */
export const Manifest = z.object({
  version: z.literal(1),
  dumpId: z.string().regex(ulidPattern),
  installation: z.string(),
  format: z.enum(["restic", "portable"]),
  purpose: z.enum(["scheduled", "safety"]),
  startedAt: moment,
  /** T0: the rows are those committed at this moment; files are not older. */
  takenAt: moment,
  sealedAt: moment,
  openemr: z.object({
    /** The `version` row; null when the table is absent. */
    version: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).nullable(),
    dockerVersion: z.string().nullable(),
    timeZone: z.string().nullable(),
    sites: z.array(z.string()),
  }),
  server: z.object({ product: z.string(), version: z.string(), characterSet: z.string(), collation: z.string() }),
  database: z.object({
    name: z.string(),
    part: StoredPart,
    byteLength: count,
    rows: count,
    /** Bytes; the target's `max_allowed_packet` must be larger. */
    largestStatement: count,
    tables: z.array(
      z.object({
        name: z.string(),
        engine: z.string(),
        keyed: z.boolean(),
        /** Rows came by our own exact reading, in a section behind the others. */
        exact: z.boolean(),
        rows: count,
        byteLength: count,
        sha256,
        structureSha256: sha256,
      }),
    ),
    programs: z.array(
      z.object({ section: z.enum(["routines", "triggers", "views", "events"]), byteLength: count, sha256 }),
    ),
  }),
  sites: z.object({ part: StoredPart, files: count, directories: count, byteLength: count, vanished: count }),
  /** Result of the key-pair proof at the source; see `packages/openemr/src/keyProof.ts`. */
  keyProof: z.custom<KeyProof>((value) => typeof value === "object" && value !== null && "problems" in value),
  /** For each site, how rows of `documents` and files fitted at the source. */
  documents: z.record(z.string(), z.object({ rows: count, missing: count, empty: count, notEncrypted: count })),
  warnings: z.array(SourceWarning),
  tools: z.record(z.string(), z.string()),
  seconds: z.number(),
  /** SHA-256 of all the rest, in the form in which it is stored. */
  digest: sha256,
});
export type Manifest = z.infer<typeof Manifest>;
export type UnsealedManifest = Omit<Manifest, "digest">;

const withoutDigest = ({ digest: _, ...rest }: Manifest): UnsealedManifest => rest;
const text = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

export const sealManifest = (manifest: UnsealedManifest): Manifest => ({
  ...manifest,
  digest: hash("sha256", text(manifest)),
});

/** The one form in which a manifest is stored; any other byte is damage. */
export const manifestBytes = (manifest: Manifest): Buffer => Buffer.from(text(manifest));

/** @throws {IntegrityError} fatal: a byte differs from what was written */
export const parseManifest = (bytes: Buffer, where: string): Manifest => {
  const damaged = (cause?: unknown) =>
    new IntegrityError(`manifest ${where} is damaged: its bytes are not those that were written`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw damaged(error);
  }
  const parsed = Manifest.safeParse(json);
  if (!parsed.success) throw damaged();
  const stored = json as Manifest;
  if (sealManifest(withoutDigest(stored)).digest !== stored.digest || !manifestBytes(stored).equals(bytes))
    throw damaged();
  return stored; // as it was written: the schema would put its keys into another order
};

const folderOf = (installation: string) => `manifests/${installation}/`;
export const manifestKey = (installation: string, dumpId: string) => `${folderOf(installation)}${dumpId}.json`;

export const readAll = async (destination: Destination, key: string): Promise<Buffer | undefined> => {
  const stream = await destination.get(key);
  if (!stream) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

/** Identifiers of all dumps that have a manifest, newest first. */
export const listManifestIds = async (destination: Destination, installation: string): Promise<readonly string[]> => {
  const ids: string[] = [];
  for await (const { key } of destination.list(folderOf(installation))) {
    const id = key.slice(folderOf(installation).length, -".json".length);
    if (key.endsWith(".json") && ulidPattern.test(id)) ids.push(id);
  }
  return ids.reverse();
};

/** @throws {IntegrityError} when it is damaged or belongs to another dump; `undefined` when absent */
export const readManifest = async (
  destination: Destination,
  installation: string,
  dumpId: string,
): Promise<Manifest | undefined> => {
  const key = manifestKey(installation, dumpId);
  const bytes = await readAll(destination, key);
  if (!bytes) return undefined;
  const manifest = parseManifest(bytes, key);
  if (manifest.dumpId !== dumpId || manifest.installation !== installation)
    throw new IntegrityError(`manifest ${key} belongs to another dump`);
  return manifest;
};
