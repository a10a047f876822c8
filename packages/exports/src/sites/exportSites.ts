import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Destination, StoredObject } from "@openemr-ops/core/destination";
import {
  DocumentsUndecryptableError,
  SourceLayoutError,
  SourceUnreadableError,
  toOpsError,
} from "@openemr-ops/core/errors";
import type { KeySet } from "@openemr-ops/openemr/crypto";
import { listSites } from "@openemr-ops/openemr/sitesLayout";
import type { WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import type { SitesExportContext, SitesExportResult } from "../context.ts";
import { fileListWriter } from "./bulk/fileList.ts";
import { listingSender } from "./bulk/listingSender.ts";
import { settleListed } from "./bulk/settleListed.ts";
import { type Action, type Compared, decide } from "./decide.ts";
import { inOrder } from "./inOrder.ts";
import { placeOf, sitesFolder } from "./inventory/parquet.ts";
import {
  type InventoryWriter,
  inventoryFolder,
  inventoryRows,
  inventoryWriter,
  openInventory,
  rewriteParts,
} from "./inventory/parts.ts";
import type { InventoryPart, InventoryRow } from "./inventory/row.ts";
import { mergeJoin } from "./mergeJoin.ts";
import { keyText } from "./objectNames.ts";
import { type FoundEntry, orderedWalk } from "./orderedWalk.ts";
import { quietDestination } from "./quietDestination.ts";
import { removeObjects } from "./removeObjects.ts";
import { incompleteKey, readSeals, type SitesFigures, type SitesSeal, successKey, writeSeal } from "./seal.ts";
import { type FoundFile, fileSender, type Sent } from "./sendFile.ts";

/** What an export would do; nothing is read but names, states and the last inventory. */
export type SitesExportPlan = Omit<SitesExportResult, "exportId" | "seconds">;

/** S3's limit less what a destination's prefix may need; see `checkedKey`. */
const longestKey = 900;
/** Rows that wait for the upload of one before them. */
const rowsAhead = 4096;

type Figures = { -readonly [Name in keyof SitesFigures]: number };

const noFigures = (decrypts: boolean): Figures => ({
  files: 0,
  bytes: 0,
  uploaded: 0,
  unchanged: 0,
  deleted: 0,
  excluded: 0,
  unstable: 0,
  unreadable: 0,
  skipped: 0,
  ...(decrypts ? { decrypted: 0, undecryptable: 0 } : {}),
});

/** Counts what stays, by rule. */
const withheldCounter = (figures: Figures) => {
  const byRule = new Map<WithheldBy, number>();
  const count = (rule: WithheldBy): void => {
    figures.excluded += 1;
    byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  };
  return { count, byRule: () => Object.fromEntries([...byRule].sort(([one], [other]) => (one < other ? -1 : 1))) };
};

const ownKeys: readonly string[] = [successKey, incompleteKey];
const isOwn = ({ key }: StoredObject): boolean =>
  key.startsWith("_", sitesFolder.length) && (key.startsWith(inventoryFolder) || ownKeys.includes(key));

/** What lies there of the tree. */
const storedFiles = async function* (
  destination: Destination,
  marks?: AsyncIterable<string>,
): AsyncGenerator<readonly StoredObject[], void> {
  for await (const page of destination.listPages(sitesFolder, marks))
    yield page.some(isOwn) ? page.filter((stored) => !isOwn(stored)) : page;
};

const isLink = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;

/**
 * An empty tree where there was a full one is a mount that is absent, not a practice that deleted everything. The same goes for
 * documents behind a link, which the walk does not follow.
 */
const assertSites = async (sitesPath: string): Promise<void> => {
  const sites = await listSites(sitesPath);
  if (sites.length === 0)
    throw new SourceUnreadableError(
      `no site in ${sitesPath}: expected directories with a sqlconf.php, such as default; check the mount, and sites.path`,
    );
  for (const place of sites.flatMap((site) => [site, join(site, "documents")]))
    if (await isLink(join(sitesPath, place)))
      throw new SourceLayoutError(
        `${place} in ${sitesPath} is a symbolic link, which an export does not follow: mount the directory there instead (mount --bind)`,
      );
};

/** How this run treats files that OpenEMR encrypted. */
interface Decryption {
  /** By site. Not set: they leave as they are. */
  readonly keys: ReadonlyMap<string, KeySet> | undefined;
  /** What lies there is of a run that left them as they are: each file of which the inventory says nothing is looked at. */
  readonly recheck: boolean;
}

/** Everything that one run does per key, from the three sorted streams to rows of the new inventory. */
interface Pass {
  readonly figures: Figures;
  readonly seal: Pick<SitesSeal, "excludedBy">;
  /** Rows of which the object has to go once the inventory is stored. */
  readonly hasRemovals: boolean;
}

const compareAll = (
  context: SitesExportContext,
  destination: Destination,
  earlier: readonly InventoryPart[],
  withheld: (rule: WithheldBy) => void,
) => {
  const inventory = openInventory(destination, earlier);
  return mergeJoin<{ source: FoundEntry; stored: StoredObject; known: InventoryRow }>(
    {
      source: orderedWalk(context.sitesPath, withheld),
      stored: storedFiles(destination, inventory.marks()),
      known: inventory.rows(),
    },
    { source: ({ key }) => key, stored: placeOf, known: ({ place }) => place },
  );
};

const runPass = async (
  context: SitesExportContext,
  destination: Destination,
  earlier: readonly InventoryPart[],
  { exportId, addRow }: { readonly exportId: string; readonly addRow: InventoryWriter["add"] },
  startedAt: Date,
  { keys, recheck }: Decryption,
): Promise<Pass> => {
  const { sitesPath, deletions, now, signal, progress } = context;
  const decrypts = keys !== undefined;
  const figures = noFigures(decrypts);
  const withheld = withheldCounter(figures);
  const keysOf = (path: string) => keys?.get(Buffer.from(path.split("/", 1)[0] ?? "", "latin1").toString());
  const direct = fileSender({ destination, root: sitesPath, now, keysOf });
  const { bulkCopier } = context;
  const bulk = bulkCopier && {
    copier: bulkCopier,
    list: fileListWriter(destination, exportId),
    draft: inventoryWriter(destination, `${exportId}-draft`),
  };
  const sender = bulk ? listingSender(direct, bulk.list, { root: sitesPath, now }) : direct;
  let hasRemovals = false;
  let looked = 0;

  const remove = (place: string) => sender.request(() => destination.delete(sitesFolder + keyText(place)));

  const kept = (row: InventoryRow): InventoryRow => {
    figures.files += 1;
    figures.bytes += row.objectBytes ?? row.byteLength ?? 0;
    if (row.treatment === "decrypted") figures.decrypted = (figures.decrypted ?? 0) + 1;
    return row;
  };

  const carryOut = (
    place: string,
    action: Action,
    known: InventoryRow | undefined,
    stored: StoredObject | undefined,
  ): Promise<InventoryRow | undefined> | InventoryRow | undefined => {
    switch (action.do) {
      case "nothing":
        return undefined;
      case "keep":
        if (recheck && action.row.treatment === undefined) return sendAgain(action);
        figures.unchanged += 1;
        return kept(action.row);
      case "list":
        figures[action.row.state === "unreadable" ? "unreadable" : "skipped"] += 1;
        return action.row;
      case "withdraw":
        return remove(place).then(() => undefined);
      case "delete": {
        const { row, since, hasObject } = action;
        if (deletions === "mirror" && !hasObject && since) return undefined; // it has been removed, and said so
        if (!since) figures.deleted += 1;
        if (deletions === "mirror" && hasObject) hasRemovals = true;
        return { ...row, deletedAt: since ?? startedAt };
      }
      case "ask":
      case "upload":
        return send(action, known, stored);
    }
  };

  /** A file that an export sent as it was encrypted is sent once more in clear. */
  const sendAgain = async ({ source, row }: Action & { readonly do: "keep" }): Promise<InventoryRow | undefined> => {
    const sent = await sender.recheck(source, row);
    signal.throwIfAborted();
    if (sent) return settle(sent, source.key, row.etag !== undefined);
    figures.unchanged += 1;
    return kept(row);
  };

  const send = async (
    action: Action & { readonly do: "ask" | "upload" },
    known: InventoryRow | undefined,
    stored: StoredObject | undefined,
  ): Promise<InventoryRow | undefined> => {
    const { source } = action;
    const { key: place, path } = source;
    if (sitesFolder.length + place.length > longestKey) {
      figures.unreadable += 1;
      return { place, path, state: "skipped", reason: `its key would be longer than ${longestKey} bytes` };
    }
    const sent = await (action.do === "ask"
      ? sender.resume(source, action.stored)
      : sender.upload(source, known, stored));
    signal.throwIfAborted();
    return settle(sent, place, known?.etag !== undefined || action.do === "ask");
  };

  const settle = async (sent: Sent, place: string, hasObject: boolean): Promise<InventoryRow | undefined> => {
    switch (sent.outcome) {
      case "gone":
        return undefined;
      case "listed":
        return sent.row;
      case "withheld":
        withheld.count(sent.rule);
        if (hasObject) await destination.delete(sitesFolder + keyText(place));
        return undefined;
      case "sent":
        figures.uploaded += 1;
        return kept(sent.row);
      case "unchanged":
        figures.unchanged += 1;
        return kept(sent.row);
      case "unstable":
      case "unreadable":
        figures[sent.outcome] += 1;
        return sent.row;
      case "undecryptable":
        figures.undecryptable = (figures.undecryptable ?? 0) + 1;
        return sent.row;
    }
  };

  /** Of a file that has changed since it was listed, what a service copied goes, unless another copy takes its place. */
  const sendListedAgain = async (file: FoundFile): Promise<InventoryRow | undefined> => {
    const sent = await direct.upload(file);
    signal.throwIfAborted();
    if (sent.outcome !== "sent" && sent.outcome !== "withheld") await remove(file.key);
    return settle(sent, file.key, true);
  };

  const addFirst = bulk ? bulk.draft.add : addRow;
  const rows = inOrder<InventoryRow | undefined>(rowsAhead, (row) => (row ? addFirst(row) : undefined));
  try {
    for await (const batch of compareAll(context, destination, earlier, withheld.count))
      for (const compared of batch) {
        signal.throwIfAborted();
        const outcome = carryOut(compared.key, decide(compared, decrypts), compared.known, compared.stored);
        const waiting = outcome === undefined ? undefined : rows.add(outcome);
        if (waiting) await waiting;
        looked += 1;
        if (looked % 2000 === 0)
          progress({ step: "sites", files: looked, bytes: figures.bytes, detail: `${figures.uploaded} uploaded` });
      }
    await rows.finish();
  } catch (error) {
    await bulk?.list.abandon(toOpsError(error));
    throw error;
  } finally {
    await rows.settle();
    await bulk?.draft.settle();
  }
  if (bulk) {
    const { key } = bulk.list;
    const list = { key, ...(await bulk.list.finish()) };
    const draft = await bulk.draft.finish();
    if (list.files > 0) await bulk.copier.copy(list, { signal, progress });
    await settleListed({
      ...{ root: sitesPath, now, signal, addRow },
      draft: openInventory(destination, draft).rows(),
      stored: storedFiles(destination),
      sendAgain: sendListedAgain,
      arrived: (row) => {
        figures.uploaded += 1;
        return kept(row);
      },
      remove: async (place) => {
        await remove(place);
      },
    });
  }
  return { figures, seal: { excludedBy: withheld.byRule() }, hasRemovals };
};

/** Objects of deleted files. They go once a stored inventory says that the files are gone. */
const deletedObjects = async function* (
  destination: Destination,
  parts: readonly InventoryPart[],
): AsyncGenerator<string, void> {
  for await (const { state, etag, place } of inventoryRows(destination, parts))
    if (state === "deleted" && etag !== undefined) yield sitesFolder + keyText(place);
};

const problemOf = ({ unreadable, decrypted, undecryptable = 0 }: Figures) => {
  const form = decrypted === undefined ? "" : "; documents leave decrypted";
  if (unreadable === 0)
    return new DocumentsUndecryptableError(
      `${undecryptable} encrypted file(s) of the sites tree do not open with their site's keys: everything else was exported; the rows of sites/_inventory with the state undecryptable list them with the reason (sites/_INCOMPLETE names its parts); find out whether the files are damaged or the keys others, and export again, or set exports.sites.documents to "as-stored"${form}`,
    );
  return new SourceUnreadableError(
    `${unreadable} file(s) or directories of the sites tree could not be exported: everything else was; the rows of sites/_inventory with the state unreadable or skipped list them with the reason (sites/_INCOMPLETE names its parts); let this program read the whole tree, and export again${undecryptable > 0 ? `; ${undecryptable} more do not open with their site's keys` : ""}${form}`,
  );
};

/**
 * Exports the sites tree as it is now: uploads what is new or changed, and writes down what there is. Safe to repeat; an
 * interrupted run is continued by the next one. `_SUCCESS` is replaced last, after everything that it promises.
 *
 * @throws {SourceUnreadableError} fatal: there is no site, or files could not be read; everything else was exported
 * @throws {DocumentsUndecryptableError} fatal: files do not open and documents leave decrypted; everything else was exported
 * @throws the `Database…Error` family: the keys cannot be read
 * @throws {SourceLayoutError} refused: a site or its documents lie behind a link
 * @throws {IntegrityError} damaged: what an earlier run wrote down was altered
 * @throws the `Destination…Error` family
 */
export const exportSites = async (
  context: SitesExportContext,
  { exportId }: { readonly exportId: string },
): Promise<SitesExportResult> => {
  const { now, warn, progress } = context;
  const startedAt = now();
  const destination = quietDestination(context.destination);
  await context.assertPlace?.();
  await assertSites(context.sitesPath);
  await context.bulkCopier?.assertReady();
  const earlier = await readSeals(destination);
  const keys = await context.documentKeys?.();
  const decrypts = keys !== undefined;
  const writer = inventoryWriter(destination, exportId);
  const { figures, seal, hasRemovals } = await runPass(
    context,
    destination,
    earlier.newest?.inventory ?? [],
    { exportId, addRow: writer.add },
    startedAt,
    { keys, recheck: decrypts && earlier.newest?.documents !== "decrypted" },
  ).finally(writer.settle);
  let inventory = await writer.finish();
  const complete = figures.unreadable === 0 && (figures.undecryptable ?? 0) === 0;
  if (!complete && figures.deleted > 0) {
    // What could not be seen may not be gone.
    inventory = await rewriteParts(destination, inventory, (row) =>
      row.deletedAt?.getTime() === startedAt.getTime()
        ? { ...row, state: "present", reason: undefined, deletedAt: undefined }
        : row,
    );
    figures.deleted = 0;
  }
  const finishedAt = now();
  const written: SitesSeal = {
    version: 1,
    exportId,
    installation: context.installation,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    inventory,
    figures,
    excludedBy: seal.excludedBy,
    ...(decrypts ? { documents: "decrypted" as const } : {}),
  };
  context.signal.throwIfAborted();
  await writeSeal(destination, written, { complete, earlier });
  if (!complete) throw problemOf(figures);
  if (hasRemovals) await removeObjects(destination, deletedObjects(destination, inventory));
  if (figures.unstable > 0)
    warn(
      `${figures.unstable} file(s) changed each time they were read: they were not exported this time, and are tried again by the next export`,
    );
  progress({ step: "sites", files: figures.files, bytes: figures.bytes });
  return {
    exportId,
    location: `${destination.url}/sites`,
    ...resultOf(figures, seal.excludedBy),
    seconds: Math.round((finishedAt.getTime() - startedAt.getTime()) / 100) / 10,
  };
};

const resultOf = (
  { files, bytes, uploaded, unchanged, excluded, deleted, unstable, skipped, decrypted }: Figures,
  excludedBy: Readonly<Record<string, number>>,
) => ({
  ...{ files, bytes, uploaded, unchanged, excluded, deleted, unstable, skipped, excludedBy },
  ...(decrypted === undefined ? {} : { decrypted }),
});

/** Shows what an export would do, and does nothing: no file is read, so what only its content keeps here is counted as uploaded, and
 * `decrypted` are those of an earlier export. */
export const planSitesExport = async (context: SitesExportContext): Promise<SitesExportPlan> => {
  const destination = quietDestination(context.destination);
  await context.assertPlace?.();
  await assertSites(context.sitesPath);
  await context.bulkCopier?.assertReady();
  const decrypts = context.documentKeys !== undefined;
  const figures = noFigures(false);
  let decrypted = 0;
  const withheld = withheldCounter(figures);
  const { newest } = await readSeals(destination);
  const add = (compared: Compared): void => {
    const action = decide(compared, decrypts);
    if (action.do === "upload" || action.do === "ask" || action.do === "keep") {
      figures.files += 1;
      figures.bytes += compared.source?.kind === "file" ? compared.source.byteLength : 0;
      figures[action.do === "keep" ? "unchanged" : "uploaded"] += 1;
      if (action.do === "keep" && action.row.treatment === "decrypted") decrypted += 1;
    } else if (action.do === "delete") figures.deleted += action.since ? 0 : 1;
    else if (action.do === "list") figures[action.row.state === "unreadable" ? "unreadable" : "skipped"] += 1;
  };
  for await (const batch of compareAll(context, destination, newest?.inventory ?? [], withheld.count)) {
    context.signal.throwIfAborted();
    batch.forEach(add);
  }
  if (decrypts) figures.decrypted = decrypted;
  return { location: `${destination.url}/sites`, ...resultOf(figures, withheld.byRule()) };
};
