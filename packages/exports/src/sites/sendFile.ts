import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Destination, PutReceipt, StoredObject } from "@openemr-ops/core/destination";
import { type BytePath, bytePath } from "@openemr-ops/files/bytePath";
import type { KeySet } from "@openemr-ops/openemr/crypto";
import { DoesNotOpen, encryptedStartBytes, startsEncrypted } from "@openemr-ops/openemr/decryptPieces";
import { contentWithheldBy, lookedAtBytes, type WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import { type Budget, budget } from "./budget.ts";
import { sitesFolder } from "./inventory/parquet.ts";
import type { InventoryRow } from "./inventory/row.ts";
import { keyText } from "./objectNames.ts";
import { type ClearFile, closedReasons, openClear } from "./openClear.ts";
import type { FoundEntry } from "./orderedWalk.ts";
import { type OpenFile, quickReader, readSteadily, type SteadyRead } from "./steadyFile.ts";

export type FoundFile = FoundEntry & { readonly kind: "file" };

/** A file up to this size is in memory whole when it is sent. */
const smallBytes = 4 * 1024 * 1024;
/** What a larger one has in memory: its parts. */
const largeBytes = 24 * 1024 * 1024;
/** What files under way have in memory together, and how many there are: ten of a client's fifty connections are left to the rest. */
const underWay = { weight: 56 * 1024 * 1024, count: 40 };

export type Sent =
  | {
      readonly outcome: "sent" | "unchanged" | "unstable" | "unreadable" | "undecryptable";
      readonly row: InventoryRow;
    }
  /** A service shall copy it. */
  | { readonly outcome: "listed"; readonly row: InventoryRow }
  | { readonly outcome: "gone" }
  | { readonly outcome: "withheld"; readonly rule: WithheldBy };

/** What the inventory says of the object that stays where the file could not be read. */
const earlierOf = (known: InventoryRow | undefined): Partial<InventoryRow> => {
  if (!known?.etag) return {};
  const { byteLength, modifiedNs, sha256, etag, exportedAt, treatment, objectBytes } = known;
  return { byteLength, modifiedNs, sha256, etag, exportedAt, treatment, objectBytes };
};

type Put = (PutReceipt & { readonly clearBytes?: number }) | Exclude<ClearFile, { readonly opened: true }>;

/**
 * Sends files, several at once; what they have in memory together is bounded.
 *
 * @param keysOf the keys with which encrypted files at this path are decrypted; `undefined`: they are sent as they are
 */
export const fileSender = ({
  destination,
  root,
  now,
  keysOf,
}: {
  readonly destination: Destination;
  readonly root: string;
  readonly now: () => Date;
  readonly keysOf: (path: string) => KeySet | undefined;
}) => {
  const quickRead = quickReader();
  const room: Budget = budget(underWay);
  const pathOf = ({ path }: FoundFile): BytePath => bytePath(root, path);
  const objectOf = (file: FoundFile): string => sitesFolder + keyText(file.key);

  /** In clear, once all of it has proven to be what OpenEMR encrypted. */
  const putClear = async (file: FoundFile, opened: OpenFile, keys: KeySet): Promise<Put> => {
    const clear = await openClear(opened, keys, smallBytes);
    if (!clear.opened) return clear;
    const { body, byteLength } = clear;
    try {
      const receipt = await destination.put(objectOf(file), body(), { modifiedNs: opened.modifiedNs });
      return { ...receipt, clearBytes: byteLength };
    } catch (error) {
      if (error instanceof DoesNotOpen) return { opened: false, reason: closedReasons[error.reason] };
      throw error;
    }
  };

  const put = async (file: FoundFile, opened: OpenFile): Promise<Put> => {
    const source = { modifiedNs: opened.modifiedNs };
    const keys = keysOf(file.path);
    if (keys && startsEncrypted(await opened.start(encryptedStartBytes))) return putClear(file, opened, keys);
    if (opened.byteLength <= smallBytes) {
      const bytes = await opened.whole();
      const rule = contentWithheldBy(bytes.subarray(0, lookedAtBytes), bytes.length);
      return rule ? { opened: false, rule } : destination.put(objectOf(file), bytes, source);
    }
    const pieces = opened.pieces();
    const first = await pieces.next();
    const rule = contentWithheldBy(first.value ?? Buffer.alloc(0), opened.byteLength);
    if (rule) return { opened: false, rule };
    const all = async function* () {
      if (!first.done) yield first.value;
      yield* pieces;
    };
    return destination.put(objectOf(file), Readable.from(all(), { objectMode: false }), source);
  };

  const failed = (
    file: FoundFile,
    known: InventoryRow | undefined,
    state: "unstable" | "unreadable" | "undecryptable",
    reason: string,
  ) => ({ outcome: state, row: { ...earlierOf(known), place: file.key, path: file.path, state, reason } }) as const;

  const upload = async (file: FoundFile, known?: InventoryRow): Promise<Sent> => {
    const path = pathOf(file);
    const readAt = now();
    const quick = quickRead(path, file.byteLength);
    const read: SteadyRead<Awaited<ReturnType<typeof put>>> = quick
      ? { ...quick, outcome: "read", result: await put(file, quick), readAt }
      : await readSteadily(path, now, (opened) => put(file, opened));
    if (read.outcome === "gone") return read;
    if (read.outcome === "unreadable") return failed(file, known, "unreadable", read.reason);
    if (read.outcome === "unstable") return failed(file, known, "unstable", "it changed each time it was read");
    if ("opened" in read.result)
      return "rule" in read.result
        ? { outcome: "withheld", rule: read.result.rule }
        : failed(file, known, "undecryptable", read.result.reason);
    const { byteLength, modifiedNs, readAt: exportedAt } = read;
    const { sha256, etag, clearBytes } = read.result;
    const treated = clearBytes === undefined ? {} : ({ treatment: "decrypted", objectBytes: clearBytes } as const);
    const place = { place: file.key, path: file.path };
    return {
      outcome: "sent",
      row: { ...place, state: "present", byteLength, modifiedNs, sha256, etag, exportedAt, ...treated },
    };
  };

  /** Whether this file would leave decrypted. One that cannot be read may. */
  const wouldChange = async (file: FoundFile): Promise<boolean> => {
    if (!keysOf(file.path)) return false;
    const read = await readSteadily(pathOf(file), now, (opened) => opened.start(encryptedStartBytes));
    return read.outcome !== "read" || startsEncrypted(read.result);
  };

  const digestOf = async (file: FoundFile): Promise<string | undefined> => {
    const read = await readSteadily(pathOf(file), now, async (opened) => {
      const hash = createHash("sha256");
      for await (const piece of opened.pieces()) hash.update(piece);
      return opened.modifiedNs === file.modifiedNs ? hash.digest("hex") : undefined;
    });
    return read.outcome === "read" ? read.result : undefined;
  };

  /** An interrupted run has stored it: it is sent again only if the store does not say that it is a copy of this file. */
  const resume = async (file: FoundFile, stored: StoredObject): Promise<Sent> => {
    if (await wouldChange(file)) return upload(file); // the store cannot say of which form its copy is
    const described = await destination.describe(objectOf(file));
    const copied = described?.source;
    const isCopy =
      copied !== undefined &&
      described?.etag === stored.etag &&
      described?.byteLength === file.byteLength &&
      copied.modifiedNs / 1000n === file.modifiedNs / 1000n; // a directory keeps microseconds
    const sha256 = isCopy ? (copied.sha256 ?? (await digestOf(file))) : undefined;
    if (sha256 === undefined) return upload(file);
    const { key: place, path, byteLength, modifiedNs } = file;
    const exportedAt = stored.modifiedAt;
    return {
      outcome: "unchanged",
      row: { place, path, state: "present", byteLength, modifiedNs, sha256, etag: stored.etag, exportedAt },
    };
  };

  /** A small file that is decrypted is in memory in several forms. */
  const weightOf = ({ path, byteLength }: FoundFile): number =>
    byteLength <= smallBytes ? byteLength * (keysOf(path) ? 4 : 1) + 64 * 1024 : largeBytes;
  return {
    /** @param _stored what lies there; it is replaced */
    upload: (file: FoundFile, known?: InventoryRow, _stored?: StoredObject) =>
      room.within(weightOf(file), () => upload(file, known)),
    resume: (file: FoundFile, stored: StoredObject) => room.within(weightOf(file), () => resume(file, stored)),
    /** Sends a file whose copy is there as it was encrypted, if it is. @returns `undefined`: it stays */
    recheck: (file: FoundFile, known: InventoryRow) =>
      room.within(weightOf(file), async () => ((await wouldChange(file)) ? upload(file, known) : undefined)),
    /** Other requests to the store, among the same number at once. */
    request: <Result>(work: () => Promise<Result>) => room.within(0, work),
  };
};
