import { IntegrityError, InvalidInputError } from "@openemr-ops/core/errors";
import type { ListedEntry } from "./treeListing.ts";

const blockBytes = 512;
/** Of an extended header: names and a few numbers. */
const longestExtension = 2 ** 20;

const damaged = (what: string) =>
  new IntegrityError(`the archive of the sites tree ${what}: no dump of this program is so; do not use it`);

const text = (block: Buffer, from: number, length: number): string => {
  const field = block.toString("latin1", from, from + length);
  const end = field.indexOf("\0");
  return end < 0 ? field : field.slice(0, end);
};

/** Octal digits, or a number in base 256 where the first bit is set. */
const numberIn = (block: Buffer, from: number, length: number): number => {
  if (((block[from] ?? 0) & 0x80) === 0) return Number.parseInt(text(block, from, length).trim() || "0", 8);
  return Number(block.subarray(from + 1, from + length).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));
};

/** Fields of an extended header: lines of `length name=value`. One character a byte. */
const fieldsIn = (data: Buffer): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at);
    const length = Number(data.toString("latin1", at, space));
    const line = data.toString("latin1", space + 1, at + length - 1);
    const equals = line.indexOf("=");
    if (space < 0 || !(length > 0) || equals < 0) throw damaged("has an extended header that cannot be read");
    fields.set(line.slice(0, equals), line.slice(equals + 1));
    at += length;
  }
  return fields;
};

const kinds: Readonly<Record<string, ListedEntry["kind"]>> = {
  "0": "file",
  "\0": "file",
  "1": "file",
  "2": "link",
  "3": "other",
  "4": "other",
  "5": "directory",
  "6": "other",
};

/** What a Date can hold; milliseconds. */
const greatestTime = 8.64e15;

/** What a member's own header and the extended one before it say. */
const entryOf = (block: Buffer, fields: ReadonlyMap<string, string>, size: number): ListedEntry => {
  const type = String.fromCharCode(block[156] ?? 0);
  const kind = kinds[type];
  if (kind === undefined) throw damaged("has a member of an unknown type");
  const prefix = text(block, 345, 155);
  const short = text(block, 0, 100);
  const name = fields.get("GNU.sparse.name") ?? fields.get("path") ?? (prefix === "" ? short : `${prefix}/${short}`);
  const number = (field: string, otherwise: number) => Number(fields.get(field) ?? otherwise);
  const mtimeMs = number("mtime", numberIn(block, 136, 12)) * 1000;
  if (!(Math.abs(mtimeMs) <= greatestTime)) throw damaged("has a member with a time that is none");
  return {
    kind,
    // The first name is the tree's own.
    path: Buffer.from(name.replace(/^[^/]*\/?/, "").replace(/\/$/, ""), "latin1").toString("utf8"),
    mode: numberIn(block, 100, 8) & 0o7777,
    uid: number("uid", numberIn(block, 108, 8)),
    gid: number("gid", numberIn(block, 116, 8)),
    size: number("GNU.sparse.realsize", number("GNU.sparse.size", size)),
    mtimeMs,
  };
};

/**
 * Reads an archive as GNU tar writes it in POSIX format, block by block, and passes on the members that are wanted, as they
 * are. Nothing of a file's content is looked at.
 *
 * @param wants called once for each member, in the archive's order
 */
const tarMembers = (wants: (entry: ListedEntry) => boolean) => {
  let begun: Buffer = Buffer.alloc(0); // of a header
  let before: Buffer[] = []; // extended header of the member to come
  let extension: { readonly pieces: Buffer[]; readonly size: number } | undefined;
  let fields: ReadonlyMap<string, string> = new Map();
  let left = 0; // bytes of content, with what fills its last block
  let passing = false;
  let ended = false;

  /** @returns what is to be passed on */
  const onHeader = (block: Buffer): readonly Buffer[] => {
    if (block.every((byte) => byte === 0)) {
      ended = true;
      return [block];
    }
    if (ended || text(block, 257, 5) !== "ustar") throw damaged("has a member without a header");
    const type = String.fromCharCode(block[156] ?? 0);
    const size = Number(fields.get("size") ?? numberIn(block, 124, 12));
    if (!Number.isSafeInteger(size) || size < 0) throw damaged("has a member of no size");
    const stored = ["0", "\0", "x"].includes(type) ? size : 0;
    left = Math.ceil(stored / blockBytes) * blockBytes;
    if (type === "x") {
      if (size > longestExtension) throw damaged("has an extended header that is too long");
      before = [block];
      extension = { pieces: [], size };
      return [];
    }
    const entry = entryOf(block, fields, stored);
    passing = wants(entry);
    if (passing && type === "1")
      throw new InvalidInputError([
        {
          path: "files",
          message:
            "selects a second name of a file, which an archive of an earlier release does not hold by itself: restore everything",
        },
      ]);
    const head = passing ? [...before, block] : [];
    before = [];
    fields = new Map();
    return head;
  };

  const push = (chunk: Buffer): readonly Buffer[] => {
    const passed: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        at += piece.length;
        left -= piece.length;
        if (extension) extension.pieces.push(Buffer.from(piece));
        else if (passing) passed.push(piece);
        if (left > 0 || !extension) continue;
        const data = Buffer.concat(extension.pieces);
        fields = fieldsIn(data.subarray(0, extension.size));
        before.push(data);
        extension = undefined;
        continue;
      }
      const piece = chunk.subarray(at, at + blockBytes - begun.length);
      at += piece.length;
      const block: Buffer = begun.length > 0 ? Buffer.concat([begun, piece]) : Buffer.from(piece);
      begun = block.length < blockBytes ? block : Buffer.alloc(0);
      if (block.length === blockBytes) passed.push(...onHeader(block));
    }
    return passed;
  };

  return {
    push,
    finish: (): void => {
      if (!ended || left > 0 || begun.length > 0) throw damaged("ends before its end");
    },
  };
};

/** An archive with those members alone that are wanted. @throws {IntegrityError} fatal: it is none of ours, or cut */
export const onlyMembers = async function* (
  archive: AsyncIterable<Buffer>,
  wants: (entry: ListedEntry) => boolean,
): AsyncGenerator<Buffer, void> {
  const members = tarMembers(wants);
  for await (const chunk of archive) yield* members.push(chunk);
  members.finish();
};

/** What an archive holds, one entry after the other. @throws as {@link onlyMembers} */
export const membersOf = async function* (archive: AsyncIterable<Buffer>): AsyncGenerator<ListedEntry, void> {
  let found: ListedEntry[] = [];
  const members = tarMembers((entry) => {
    found.push(entry);
    return false;
  });
  for await (const chunk of archive) {
    members.push(chunk);
    yield* found;
    found = [];
  }
  members.finish();
};
