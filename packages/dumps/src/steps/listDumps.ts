import { DamagedError, DumpNotFoundError, IntegrityError } from "@openemr-ops/core/errors";
import { ulidTime } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import { listManifestIds, type Manifest, readManifest } from "../manifest.ts";
import { readVerifications, type Verification } from "../verification.ts";
import { assertDumpName } from "./takeDump.ts";

export interface ListedDump {
  readonly dumpId: string;
  readonly takenAt: string;
  /** Manifest sound, and both halves at the destination. */
  readonly complete: boolean;
  /** The newest check that it passed. */
  readonly verified: Verification | null;
  readonly format?: "restic" | "portable";
  readonly purpose?: "scheduled" | "safety";
  readonly rows?: number;
  readonly files?: number;
  readonly databaseBytes?: number;
  readonly filesBytes?: number;
  readonly warnings?: number;
  /** Why it is not complete. */
  readonly problem?: string;
}

export interface FoundDump {
  readonly listed: ListedDump;
  readonly manifest: Manifest | undefined;
}

const width = 16;

const readAllManifests = async (context: DumpContext, ids: readonly string[]) => {
  const found = new Map<string, Manifest | DamagedError | undefined>();
  for (let start = 0; start < ids.length; start += width) {
    await Promise.all(
      ids.slice(start, start + width).map(async (id) => {
        const manifest = await readManifest(context.destination, context.installation, id).catch((error: unknown) => {
          if (error instanceof DamagedError) return error;
          throw error;
        });
        found.set(id, manifest);
      }),
    );
  }
  return found;
};

/** All dumps, newest first, with their manifests. Needs no password: manifests and listings only. */
export const findDumps = async (context: DumpContext): Promise<readonly FoundDump[]> => {
  const ids = await listManifestIds(context.destination, context.installation);
  const manifests = await readAllManifests(context, ids);
  const sound = [...manifests.values()].filter((manifest) => manifest && !(manifest instanceof Error)) as Manifest[];
  const present = await context.store.presentParts(sound.flatMap(({ database, sites }) => [database.part, sites.part]));
  const verified = await readVerifications(context.destination, context.installation);
  return ids.map((dumpId) => {
    const manifest = manifests.get(dumpId);
    if (!manifest || manifest instanceof Error) {
      const problem = manifest?.message ?? "the manifest disappeared while it was read";
      return {
        listed: { dumpId, takenAt: ulidTime(dumpId).toISOString(), complete: false, verified: null, problem },
        manifest: undefined,
      };
    }
    const halves = [manifest.database.part, manifest.sites.part].filter((part) => present.has(part)).length;
    const foreign = manifest.format !== context.store.format;
    const problem = foreign
      ? `this dump is in the ${manifest.format} format, the configuration says ${context.store.format}`
      : halves < 2
        ? `${2 - halves} of its 2 halves are not at the destination`
        : undefined;
    return {
      manifest,
      listed: {
        dumpId,
        takenAt: manifest.takenAt,
        complete: problem === undefined,
        verified: verified.get(dumpId) ?? null,
        format: manifest.format,
        purpose: manifest.purpose,
        rows: manifest.database.rows,
        files: manifest.sites.files,
        databaseBytes: manifest.database.byteLength,
        filesBytes: manifest.sites.byteLength,
        warnings: manifest.warnings.length,
        ...(problem ? { problem } : {}),
      },
    };
  });
};

export const listDumps = async (context: DumpContext): Promise<readonly ListedDump[]> =>
  (await findDumps(context)).map(({ listed }) => listed);

/**
 * The dump that a person means.
 *
 * `latest` is the newest complete one; when a newer one is damaged, that is said instead of silently going back in time.
 * Safety dumps hold what a restore was about to replace, so they are meant only by their names, or where no other is.
 *
 * @throws {DumpNotFoundError} refused
 * @throws {IntegrityError} the named or the newest dump is damaged
 */
export const chooseDump = async (context: DumpContext, name: string): Promise<Manifest> => {
  assertDumpName(name);
  const dumps = await findDumps(context);
  const complete = dumps.filter(({ listed }) => listed.complete).map(({ listed }) => listed.dumpId);
  const latest = dumps.find(({ listed }) => listed.purpose !== "safety") ?? dumps[0];
  const chosen = name === "latest" ? latest : dumps.find(({ listed }) => listed.dumpId === name);
  if (!chosen)
    throw new DumpNotFoundError(
      `${name === "latest" ? "there is no dump" : `there is no dump ${name}`} of ${context.installation} at ${context.destination.url}`,
    );
  if (!chosen.manifest || !chosen.listed.complete)
    throw new IntegrityError(
      `dump ${chosen.listed.dumpId}: ${chosen.listed.problem}. ${complete[0] ? `The newest complete dump is ${complete[0]}; name it with --dump` : "No other dump is complete"}`,
    );
  return chosen.manifest;
};
