import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { Destination, PutReceipt, StoredObject } from "@openemr-ops/core/destination";
import { bytePath } from "@openemr-ops/files/bytePath";
import { contentWithheldBy, lookedAtBytes, type WithheldBy } from "@openemr-ops/openemr/withheldFiles";
import { type Budget, budget } from "./budget.ts";
import { sitesFolder } from "./inventory/parquet.ts";
import type { InventoryRow } from "./inventory/row.ts";
import { keyText } from "./objectNames.ts";
import type { FoundEntry } from "./orderedWalk.ts";
import { type OpenFile, quickReader, readSteadily, type SteadyRead } from "./steadyFile.ts";

type FoundFile = FoundEntry & { readonly kind: "file" };

/** A file up to this size is in memory whole when it is sent. */
const smallBytes = 4 * 1024 * 1024;
/** What a larger one has in memory: its parts. */
const largeBytes = 24 * 1024 * 1024;
/** Files under way at once, and what they have in memory together. */
const underWay = { weight: 56 * 1024 * 1024, count: 24 };

export type Sent =
  | { readonly outcome: "sent" | "unchanged" | "unstable" | "unreadable"; readonly row: InventoryRow }
  | { readonly outcome: "gone" }
  | { readonly outcome: "withheld"; readonly rule: WithheldBy };

/** What the inventory says of the object that stays where the file could not be read. */
const earlierOf = (known: InventoryRow | undefined): Partial<InventoryRow> => {
  if (!known?.etag) return {};
  const { byteLength, modifiedNs, sha256, etag, exportedAt } = known;
  return { byteLength, modifiedNs, sha256, etag, exportedAt };
};

/** Sends files, several at once; what they have in memory together is bounded. */
export const fileSender = ({
  destination,
  root,
  now,
}: {
  readonly destination: Destination;
  readonly root: string;
  readonly now: () => Date;
}) => {
  const quickRead = quickReader();
  const room: Budget = budget(underWay);
  const pathOf = ({ path }: FoundFile): Buffer => bytePath(root, path);
  const objectOf = (file: FoundFile): string => sitesFolder + keyText(file.key);

  const put = async (file: FoundFile, opened: OpenFile): Promise<PutReceipt | { readonly rule: WithheldBy }> => {
    const source = { modifiedNs: opened.modifiedNs };
    if (opened.byteLength <= smallBytes) {
      const bytes = await opened.whole();
      const rule = contentWithheldBy(bytes.subarray(0, lookedAtBytes), bytes.length);
      return rule ? { rule } : destination.put(objectOf(file), bytes, source);
    }
    const pieces = opened.pieces();
    const first = await pieces.next();
    const rule = contentWithheldBy(first.value ?? Buffer.alloc(0), opened.byteLength);
    if (rule) return { rule };
    const all = async function* () {
      if (!first.done) yield first.value;
      yield* pieces;
    };
    return destination.put(objectOf(file), Readable.from(all(), { objectMode: false }), source);
  };

  const failed = (file: FoundFile, known: InventoryRow | undefined, state: "unstable" | "unreadable", reason: string) =>
    ({ outcome: state, row: { ...earlierOf(known), place: file.key, path: file.path, state, reason } }) as const;

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
    if ("rule" in read.result) return { outcome: "withheld", rule: read.result.rule };
    const { byteLength, modifiedNs, readAt: exportedAt } = read;
    const { sha256, etag } = read.result;
    const place = { place: file.key, path: file.path };
    return {
      outcome: "sent",
      row: { ...place, state: "present", byteLength, modifiedNs, sha256, etag, exportedAt },
    };
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

  const weightOf = ({ byteLength }: FoundFile): number =>
    byteLength <= smallBytes ? byteLength + 64 * 1024 : largeBytes;
  return {
    upload: (file: FoundFile, known?: InventoryRow) => room.within(weightOf(file), () => upload(file, known)),
    resume: (file: FoundFile, stored: StoredObject) => room.within(weightOf(file), () => resume(file, stored)),
    /** Other requests to the store, among the same number at once. */
    request: <Result>(work: () => Promise<Result>) => room.within(0, work),
  };
};
