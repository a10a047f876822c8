import { hash } from "node:crypto";
import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import { announcedOnly } from "@openemr-ops/files/byteSink";
import type { KeyProof } from "@openemr-ops/openemr/keyProof";
import * as z from "zod";
import type { Seal } from "./seal.ts";

/** A manifest of a thousand tables has half a megabyte; what is larger is not read to its end. */
const largestManifest = 64 * 1024 * 1024;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const moment = z.iso.datetime();
const short = z.string().max(255);
/** What the source says, or names of many tables joined. */
const message = z.string().max(1024 * 1024);
/** A name in MariaDB and MySQL has up to 64 characters. */
const databaseName = z
  .string()
  .min(1)
  .max(64)
  .refine((name) => !name.includes("\0"));
/** Goes into statements as it is. */
const characterSetName = z.string().regex(/^[A-Za-z0-9_]{1,64}$/);
const programName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/);
/** A place in the sites tree, or the tree itself; never a way out of it. */
const placeInTree = z
  .string()
  .max(4096)
  .refine((at) => !at.includes("\0") && !at.startsWith("/") && !at.split("/").includes(".."));
/** A directory below the sites tree, never a way out of it. */
const siteName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => name !== "." && name !== ".." && !/[/\0]/.test(name));

const StoredPart = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("snapshot"), snapshotId: sha256 }),
  z.object({
    kind: z.literal("object"),
    key: z.string().min(1).max(1024),
    byteLength: count,
    sha256,
    pieces: z.object({ byteLength: z.int().positive(), sha256: z.array(sha256).readonly() }).optional(),
  }),
]);

/** What the source lacked or had wrong when it was dumped: said loudly, and not held against a later drill. */
export const SourceWarning = z.object({
  code: short,
  message,
  count: count.optional(),
});
export type SourceWarning = z.infer<typeof SourceWarning>;

/** As far as it is read again: the rest of it is compared, never used. */
const keyProofShape = z.object({
  status: z.enum(["proven", "incomplete", "failed"]),
  sites: z.array(z.object({ site: siteName })),
  problems: z.array(z.object({ code: short, message })),
});

/** The table of contents of one dump. Without it there is no dump, only a run that has not ended. No patient data. */
const fields = z.object({
  version: z.literal(1),
  dumpId: z.string().regex(ulidPattern),
  installation: short,
  format: z.enum(["restic", "portable"]),
  purpose: z.enum(["scheduled", "safety"]),
  startedAt: moment,
  /** T0: the rows are those committed at this moment; files are not older. */
  takenAt: moment,
  sealedAt: moment,
  openemr: z.object({
    /** The `version` row; null when the table is absent. */
    version: z.record(short, z.union([message, z.number(), z.null()])).nullable(),
    dockerVersion: message.nullable(),
    timeZone: message.nullable(),
    sites: z.array(siteName),
  }),
  server: z.object({
    product: programName,
    version: short,
    characterSet: characterSetName,
    collation: characterSetName,
    /** The server's setting; absent in dumps of earlier releases. */
    lowerCaseTableNames: z.int().min(0).max(2).optional(),
  }),
  database: z.object({
    name: databaseName,
    part: StoredPart,
    byteLength: count,
    rows: count,
    /** All rows are counted and digested. Absent: in `tables`, without those on the line of `INSERT … VALUES`. */
    rowRule: z.literal("all").optional(),
    /** Bytes; the target's `max_allowed_packet` must be larger. */
    largestStatement: count,
    tables: z.array(
      z.object({
        name: databaseName,
        engine: short,
        keyed: z.boolean(),
        /** Rows came by our own exact reading, in a section behind the others. */
        exact: z.boolean(),
        rows: count,
        byteLength: count,
        sha256,
        /** Of the rows with each number in JSON of MySQL written one way; absent in dumps of earlier releases. */
        meaningSha256: sha256.optional(),
        /** Of the CREATE TABLE statement as server and client wrote it. */
        structureSha256: sha256,
        /** Of what the server's catalogue says; absent in dumps of earlier releases. */
        catalogue: z.object({ structure: sha256, details: sha256, meaning: sha256.optional() }).optional(),
      }),
    ),
    programs: z.array(
      z.object({
        section: z.enum(["routines", "triggers", "views", "events"]),
        byteLength: count,
        /** Of the section's bytes. */
        sha256,
        /** Of what the programs say, whatever client wrote them; absent in dumps of earlier releases. */
        meaningSha256: sha256.optional(),
      }),
    ),
    /** Of tables and their columns, each with a table that has it; absent in dumps of earlier releases. */
    collations: z.array(z.object({ name: characterSetName, table: databaseName })).optional(),
  }),
  sites: z.object({
    part: StoredPart,
    files: count,
    directories: count,
    byteLength: count,
    vanished: count,
    /** Volumes mounted at the source, below the tree's root, which is `""`. Older dumps do not tell. */
    mounts: z.array(z.object({ at: placeInTree, type: short })).optional(),
  }),
  /** Result of the key-pair proof at the source; see `packages/openemr/src/keyProof.ts`. */
  keyProof: z.custom<KeyProof>((value) => keyProofShape.safeParse(value).success),
  /** For each site, how rows of `documents` and files fitted at the source. */
  documents: z.record(siteName, z.object({ rows: count, missing: count, empty: count, notEncrypted: count })),
  warnings: z.array(SourceWarning),
  tools: z.record(short, z.string().max(4096)),
  seconds: z.number(),
  /** HMAC of all before it, where a key is configured; see `seal.ts`. A repository seals by a copy inside it instead. */
  seal: sha256.optional(),
  /** SHA-256 of all the rest, in the form in which it is stored. */
  digest: sha256,
});

/** A part lies where this dump put it: a restic snapshot, or an object in the dump's own folder. */
const ownPart = (part: z.infer<typeof StoredPart>, { format, dumpId }: { format: string; dumpId: string }): boolean =>
  part.kind === "snapshot"
    ? format === "restic"
    : format === "portable" && part.key.startsWith(`portable/${dumpId}/`) && part.key.split("/").length === 3;

export const Manifest = fields.refine(
  (manifest) => ownPart(manifest.database.part, manifest) && ownPart(manifest.sites.part, manifest),
);
export type Manifest = z.infer<typeof Manifest>;
export type UnsealedManifest = Omit<Manifest, "digest">;

const withoutDigest = ({ digest: _, ...rest }: Manifest): UnsealedManifest => rest;
const text = (value: unknown): string => `${JSON.stringify(value, null, 1)}\n`;

/** @param seal absent: no key is configured, or the store seals in its own way */
export const sealManifest = (manifest: UnsealedManifest, seal?: Seal): Manifest => {
  const sealed = seal ? { ...manifest, seal: seal.of("manifest", text(manifest)) } : manifest;
  return { ...sealed, digest: hash("sha256", text(sealed)) };
};

/** Whether whoever wrote the manifest held the key; `undefined` when it bears no seal. */
export const hasOwnSeal = (manifest: Manifest, seal: Seal): boolean | undefined => {
  const { digest: _, seal: found, ...rest } = manifest;
  return found === undefined ? undefined : seal.fits("manifest", text(rest), found);
};

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

/** @throws {IntegrityError} the object is larger than any manifest; its rest is not read */
const readBounded = async (destination: Destination, key: string): Promise<Buffer | undefined> => {
  const stream = await destination.get(key);
  if (!stream) return undefined;
  const tooLarge = () =>
    new IntegrityError(`manifest ${key} is damaged: it is larger than ${largestManifest / 1024 / 1024} MiB`);
  const chunks: Buffer[] = [];
  for await (const chunk of announcedOnly(stream, largestManifest, tooLarge)) chunks.push(chunk);
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

/** @throws {IntegrityError} it is damaged or belongs to another dump */
export const parseManifestOf = (bytes: Buffer, where: string, installation: string, dumpId: string): Manifest => {
  const manifest = parseManifest(bytes, where);
  if (manifest.dumpId !== dumpId || manifest.installation !== installation)
    throw new IntegrityError(`manifest ${where} belongs to another dump`);
  return manifest;
};

/** @throws {IntegrityError} when it is damaged or belongs to another dump; `undefined` when absent */
export const readManifest = async (
  destination: Destination,
  installation: string,
  dumpId: string,
): Promise<Manifest | undefined> => {
  const key = manifestKey(installation, dumpId);
  const bytes = await readBounded(destination, key);
  return bytes && parseManifestOf(bytes, key, installation, dumpId);
};
