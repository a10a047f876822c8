import {
  DamagedError,
  DumpNotFoundError,
  IntegrityError,
  InvalidInputError,
  type OpsError,
  RepositoryPasswordError,
  SecretUnreadableError,
  ToolFailedError,
  ToolMissingError,
} from "@openemr-ops/core/errors";
import { figureWords } from "@openemr-ops/core/format";
import { ulidPattern, ulidTime } from "@openemr-ops/core/ids";
import type { DumpContext } from "../context.ts";
import { hasOwnSeal, listManifestIds, type Manifest, parseManifestOf, readManifest } from "../manifest.ts";
import { isFuture } from "../retention.ts";
import type { Seal } from "../seal.ts";
import type { SealedDump } from "../store/dumpStore.ts";
import { readVerifications, type Verification } from "../verification.ts";
import { wordsOfDestination } from "./surveyDestination.ts";

export interface ListedDump {
  readonly dumpId: string;
  readonly takenAt: string;
  /** Manifest sound, and both halves at the destination. */
  readonly complete: boolean;
  /**
   * Whether only who holds the installation's secret can have written it: `true` proven, `false` not sealed, `null` not
   * known, for the secret was not available.
   */
  readonly sealed: boolean | null;
  /** The newest check that it passed. `sealed`: as above, for the note of it. */
  readonly verified: (Verification & { readonly sealed: boolean | null }) | null;
  readonly format?: "restic" | "portable";
  readonly purpose?: "scheduled" | "safety";
  readonly rows?: number;
  readonly files?: number;
  readonly databaseBytes?: number;
  readonly filesBytes?: number;
  readonly warnings?: number;
  /** Why it is not complete, or, of a complete one, what speaks against it. */
  readonly problem?: string;
}

export interface FoundDump {
  readonly listed: ListedDump;
  /** The plain one; `undefined` where it is damaged or gone. */
  readonly manifest: Manifest | undefined;
  /** The plain manifest is what was sealed. */
  readonly genuine: boolean;
  /** A check that the dump passed, proven to be noted by us; and one that anybody may have noted. */
  readonly provenCheck: Verification | undefined;
  readonly claimedCheck: Verification | undefined;
}

/** What the installation's secret tells about all dumps; without it all that is at the destination is hearsay. */
interface Authority {
  readonly sealedDumps: ReadonlyMap<string, SealedDump> | undefined;
  readonly seal: Seal | undefined;
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

/** What speaks against a dump whose parts are there. `sealed` as in `ListedDump`. */
const judgeSeal = (
  { store }: DumpContext,
  dumpId: string,
  manifest: Manifest | undefined,
  authority: Authority | undefined,
): { readonly sealed: boolean | null; readonly genuine: boolean; readonly problem?: string } => {
  if (store.format === "portable") {
    if (manifest?.seal === undefined) return { sealed: false, genuine: false };
    const fits = authority?.seal && hasOwnSeal(manifest, authority.seal);
    if (fits === undefined) return { sealed: null, genuine: false };
    const problem = `the seal of manifest ${dumpId} does not fit: it was altered, or sealed with another key than dumps.sealKeyFile`;
    return fits ? { sealed: true, genuine: true } : { sealed: false, genuine: false, problem };
  }
  if (!authority?.sealedDumps) return { sealed: null, genuine: false };
  const sealed = authority.sealedDumps.get(dumpId);
  if (!sealed?.manifest)
    return {
      sealed: false,
      genuine: false,
      problem: `manifest of dump ${dumpId} has no sealed copy in the repository`,
    };
  if (manifest && sealed.digest !== undefined && sealed.digest !== manifest.digest)
    return {
      sealed: false,
      genuine: false,
      problem: `manifest of dump ${dumpId} differs from its sealed copy in the repository`,
    };
  return { sealed: true, genuine: manifest !== undefined && sealed.digest !== undefined };
};

/** So many are read before anybody wonders what takes the time. */
const fewManifests = 8;

/** Manifests as the repository keeps them, by dump, and what is wrong in place of a damaged one. */
const readSealedManifests = async (
  context: DumpContext,
  dumpIds: readonly string[],
): Promise<ReadonlyMap<string, Manifest | OpsError>> => {
  const found = new Map<string, Manifest | OpsError>();
  if (dumpIds.length === 0) return found;
  const parsed = (dumpId: string, copy: Buffer): Manifest | IntegrityError => {
    try {
      return parseManifestOf(copy, `${dumpId} in the repository`, context.installation, dumpId);
    } catch (error) {
      if (error instanceof IntegrityError) return error;
      throw error;
    }
  };
  const take = (dumpId: string, copy: Buffer | OpsError): void => {
    found.set(dumpId, Buffer.isBuffer(copy) ? parsed(dumpId, copy) : copy);
    if (dumpIds.length > fewManifests)
      context.progress({ step: "manifests", files: found.size, totalFiles: dumpIds.length });
  };
  await context.store.readManifestCopies(dumpIds, take, context);
  return found;
};

const missingHalves = (halves: number): string | undefined =>
  halves < 2 ? `${2 - halves} of its 2 halves are not at the destination` : undefined;

const inFuture = (takenAt: string): string =>
  `was taken in the future (${takenAt}): a clock was wrong then, or is now; it is not taken for the latest`;

/** @param withSealed also read from the repository what has no plain manifest; without it such a dump has no figures */
const find = async (
  context: DumpContext,
  authority: Authority | undefined,
  withSealed = false,
): Promise<readonly FoundDump[]> => {
  const plain = await listManifestIds(context.destination, context.installation);
  const sealedDumps = authority?.sealedDumps ?? new Map<string, SealedDump>();
  const sealedIds = [...sealedDumps].filter(([, { manifest }]) => manifest).map(([dumpId]) => dumpId);
  const ids = [...new Set([...plain, ...sealedIds])].sort().reverse();
  const manifests = await readAllManifests(context, plain);
  const unlisted = withSealed ? sealedIds.filter((dumpId) => !manifests.has(dumpId)) : [];
  const fromStore = await readSealedManifests(context, unlisted);
  const sound = [...manifests.values()].filter((manifest) => manifest && !(manifest instanceof Error)) as Manifest[];
  // Snapshots have other identifiers in a copy of a repository, so that the repository itself says what is there.
  const present = authority?.sealedDumps
    ? undefined
    : await context.store.presentParts(sound.flatMap(({ database, sites }) => [database.part, sites.part]));
  const notes = await readVerifications(context.destination, context.installation, authority?.seal);

  return ids.map((dumpId): FoundDump => {
    const found = manifests.get(dumpId);
    const manifest = found instanceof Error ? undefined : found;
    const stored = sealedDumps.get(dumpId);
    const { claimed, proven } = notes.get(dumpId) ?? {};
    const check = proven ?? claimed;
    const verified = check ? { ...check, sealed: proven ? true : authority?.seal ? false : null } : null;
    const common = { dumpId, complete: false, verified };
    const checks = { provenCheck: proven, claimedCheck: claimed };
    if (found instanceof Error || (manifest === undefined && !stored?.manifest)) {
      const problem = found instanceof Error ? found.message : "the manifest disappeared while it was read";
      const sealed = authority ? false : null;
      return {
        listed: { ...common, takenAt: ulidTime(dumpId).toISOString(), sealed, verified: null, problem },
        manifest: undefined,
        genuine: false,
        ...checks,
      };
    }
    const { sealed, genuine, problem: broken } = judgeSeal(context, dumpId, manifest, authority);
    const sealedCopy = fromStore.get(dumpId);
    const told = manifest ?? (sealedCopy instanceof Error ? undefined : sealedCopy);
    const takenAt =
      stored?.manifest && !genuine && (manifest || !told)
        ? stored.takenAt.toISOString()
        : (told?.takenAt ?? ulidTime(dumpId).toISOString());
    const halves = present
      ? [manifest?.database.part, manifest?.sites.part].filter((part) => part && present.has(part)).length
      : [stored?.database, stored?.sites].filter(Boolean).length;
    const problem =
      manifest && manifest.format !== context.store.format
        ? `this dump is in the ${manifest.format} format, the configuration says ${context.store.format}`
        : (missingHalves(halves) ?? broken ?? (sealedCopy instanceof Error ? sealedCopy.message : undefined));
    const remark = problem ?? (isFuture(new Date(takenAt), context.now()) ? inFuture(takenAt) : undefined);
    return {
      listed: {
        ...common,
        takenAt,
        complete: problem === undefined,
        sealed,
        ...(told
          ? {
              format: told.format,
              purpose: told.purpose,
              rows: told.database.rows,
              files: told.sites.files,
              databaseBytes: told.database.byteLength,
              filesBytes: told.sites.byteLength,
              warnings: told.warnings.length,
            }
          : { format: context.store.format }),
        ...(remark === undefined ? {} : { problem: remark }),
      },
      manifest,
      genuine,
      ...checks,
    };
  });
};

const askAuthority = async (context: DumpContext): Promise<Authority> => ({
  sealedDumps: await context.store.listSealed(context),
  seal: await context.store.seal(),
});

/**
 * All dumps, newest first, as whoever decides over them has to see them: what nobody without the installation's secret can
 * forge, joined with the plain manifests.
 *
 * @throws {RepositoryPasswordError | InvalidInputError | IntegrityError} the secret cannot be read or opens nothing
 */
export const findDumps = async (context: DumpContext): Promise<readonly FoundDump[]> =>
  find(context, await askAuthority(context));

/** What keeps the installation's secret from proving anything here: the plain manifests can be read all the same. */
const unopenedBy = [
  RepositoryPasswordError,
  InvalidInputError,
  SecretUnreadableError,
  ToolMissingError,
  ToolFailedError,
  DamagedError,
] as const;

/**
 * The same for a person to read. Needs no secret: without one, or where the store does not open, it lists the plain
 * manifests, and `sealed` is null; `unopened` says why. Dumps that have no plain manifest are read from the store.
 */
export const lookAtDumps = async (
  context: DumpContext,
): Promise<{ readonly dumps: readonly FoundDump[]; readonly unopened?: OpsError }> => {
  let unopened: OpsError | undefined;
  const authority = await askAuthority(context).catch((error: unknown) => {
    unopened = unopenedBy.map((kind) => (error instanceof kind ? error : undefined)).find(Boolean);
    if (unopened) return undefined;
    throw error;
  });
  return { dumps: await find(context, authority, true), ...(unopened ? { unopened } : {}) };
};

/** Three snapshots are a dump, whosever it is; what is more belongs to dumps that only the repository knows. */
const closedWords = async ({ destination }: DumpContext, { name, message }: Error): Promise<string> => {
  let known = 0;
  let stored = 0;
  for await (const { key } of destination.list("manifests/")) if (key.endsWith(".json")) known += 1;
  for await (const _ of destination.list("snapshots/")) stored += 1;
  const more = stored > 3 * known ? `; ${stored - 3 * known} snapshots there belong to no listed dump` : "";
  return `only plain manifests are listed, for what is sealed at ${destination.url} could not be read (${name}: ${message})${more}`;
};

/**
 * What `lookAtDumps` finds, as a list; a warning says what closes the store.
 *
 * @throws what closes the store, where it has no plain manifest to list: an empty list would say that there is no dump
 */
export const listDumps = async (context: DumpContext): Promise<readonly ListedDump[]> => {
  const { dumps, unopened } = await lookAtDumps(context);
  if (unopened && dumps.length === 0) throw unopened;
  if (unopened) context.warn(await closedWords(context, unopened));
  return dumps.map(({ listed }) => listed);
};

/** One dump as the list has it, with its manifest. */
export interface ShownDump {
  readonly listed: ListedDump;
  readonly manifest: Manifest;
}

/**
 * One dump for a person to read. Needs no secret, as `listDumps`, unless only the sealed manifest is left.
 *
 * @param name an identifier, or `latest`: the newest complete dump
 * @throws {DumpNotFoundError} refused
 * @throws {IntegrityError} its manifest is damaged
 */
export const showDump = async (context: DumpContext, name: string): Promise<ShownDump> => {
  assertDumpName(name);
  const { dumps } = await lookAtDumps(context);
  const past = dumps.filter(({ listed }) => !isFuture(new Date(listed.takenAt), context.now()));
  const dump =
    name === "latest" ? past.find(({ listed }) => listed.complete) : dumps.find(({ listed }) => listed.dumpId === name);
  if (!dump)
    throw new DumpNotFoundError(
      `${name === "latest" ? "there is no complete dump" : `there is no dump ${name}`} of ${context.installation} at ${context.destination.url}`,
    );
  const { listed, manifest } = dump;
  if (!manifest && listed.problem !== undefined) throw new IntegrityError(`dump ${listed.dumpId}: ${listed.problem}`);
  return { listed, manifest: manifest ?? (await sealedManifest(context, listed.dumpId)) };
};

/** The manifest of a dump as it lies in the repository. @throws {IntegrityError} no such copy, or it is another dump's */
export const sealedManifest = async (context: DumpContext, dumpId: string): Promise<Manifest> => {
  const copy = await context.store.readManifestCopy(dumpId, context);
  if (!copy) throw new IntegrityError(`manifest of dump ${dumpId} has no sealed copy in the repository`);
  return parseManifestOf(copy, `${dumpId} in the repository`, context.installation, dumpId);
};

/**
 * The manifest of a dump as it was sealed, whatever lies in its place for all to read.
 *
 * @throws {IntegrityError} the plain one differs
 */
export const genuineManifest = async (context: DumpContext, dump: FoundDump): Promise<Manifest> => {
  const { dumpId } = dump.listed;
  if (dump.manifest && (dump.genuine || context.store.format === "portable")) return dump.manifest;
  const manifest = await sealedManifest(context, dumpId);
  if (dump.manifest && dump.manifest.digest !== manifest.digest)
    throw new IntegrityError(`manifest of dump ${dumpId} differs from its sealed copy in the repository`);
  return manifest;
};

/** The newest that is no safety dump; of safety dumps alone, the newest. A damaged one is not passed over. */
const newestOf = async (context: DumpContext, dumps: readonly FoundDump[]): Promise<FoundDump | undefined> => {
  for (const dump of dumps) {
    const { complete, purpose } = dump.listed;
    if (!complete && !(dump.genuine && purpose === "safety")) return dump;
    if (complete && (await genuineManifest(context, dump)).purpose !== "safety") return dump;
  }
  return dumps[0];
};

/** Dumps that may be the latest. One without a seal is it only where no dump has one, for anybody may have put it there. */
const candidates = (context: DumpContext, dumps: readonly FoundDump[]): readonly FoundDump[] => {
  const past = dumps.filter(({ listed }) => !isFuture(new Date(listed.takenAt), context.now()));
  const sealed = past.filter(({ listed }) => !listed.complete || listed.sealed === true);
  return sealed.some(({ listed }) => listed.complete) ? sealed : past;
};

const warnOfUnsealed = (context: DumpContext, dumps: readonly FoundDump[], { listed }: FoundDump): void => {
  if (listed.sealed !== true)
    context.warn(
      `dump ${listed.dumpId} bears no seal that was checked: whoever may write to the destination can have made it; set dumps.sealKeyFile`,
    );
  const passed = dumps.filter((dump) => dump.listed.sealed === false && dump.listed.dumpId > listed.dumpId);
  if (listed.sealed === true && passed.length > 0)
    context.warn(
      `${passed.length} newer dumps bear no seal and are passed over: somebody made them, or took their seals away; look at them by hand`,
    );
};

/** Names what is there instead, where no dump is. */
const noSuchDump = async (context: DumpContext, name: string, others: number): Promise<DumpNotFoundError> => {
  const words = others === 0 ? await wordsOfDestination(context) : `it has ${figureWords("dumps", others)}: choose one`;
  const { installation, destination } = context;
  return new DumpNotFoundError(`there is no dump${name} of ${installation} at ${destination.url}: ${words}`, {
    field: "dump",
  });
};

/**
 * The dump that a person means, among those found.
 *
 * `latest` is the newest complete one; when a newer one is damaged, that is said instead of silently going back in time.
 * One that claims to be of the future never is. Safety dumps hold what a restore was about to replace, so they are meant
 * only by their names, or where no other is.
 *
 * @returns its manifest as it was sealed
 * @throws {DumpNotFoundError} refused
 * @throws {IntegrityError} the named or the newest dump is damaged
 */
export const chooseFrom = async (
  context: DumpContext,
  dumps: readonly FoundDump[],
  name: string,
): Promise<Manifest> => {
  const eligible = candidates(context, dumps);
  const chosen =
    name === "latest" ? await newestOf(context, eligible) : dumps.find(({ listed }) => listed.dumpId === name);
  if (!chosen && name === "latest" && dumps[0])
    throw new DumpNotFoundError(
      `all dumps of ${context.installation} ${inFuture(dumps[0].listed.takenAt)}; set this machine's clock, or name one instead`,
      { field: "dump" },
    );
  if (!chosen) throw await noSuchDump(context, name === "latest" ? "" : ` ${name}`, dumps.length);
  const complete = eligible.find(({ listed }) => listed.complete)?.listed.dumpId;
  if (!chosen.listed.complete)
    throw new IntegrityError(
      `dump ${chosen.listed.dumpId}: ${chosen.listed.problem}. ${complete ? `The newest complete dump is ${complete}; name it instead` : "No other dump is complete"}`,
      { field: "dump" },
    );
  if (context.store.format === "portable") warnOfUnsealed(context, dumps, chosen);
  return genuineManifest(context, chosen);
};

/** @throws {InvalidInputError} when a dump's name is neither `latest` nor an identifier */
const assertDumpName = (name: string): void => {
  if (name !== "latest" && !ulidPattern.test(name))
    throw new InvalidInputError([
      { path: "dump", message: `expected "latest" or a dump's identifier of 26 characters` },
    ]);
};

export const chooseDump = async (context: DumpContext, name: string): Promise<Manifest> => {
  assertDumpName(name);
  return chooseFrom(context, await findDumps(context), name);
};
