import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";

/*
 * Keys and paths here are strings of one character a byte (Latin-1), as the file system's names were read: they compare as
 * their bytes do, which is the order of every listing.
 */

/** What every destination can hold as one segment of a key; `%` is the sign of an escape. */
const plain = /^[\x20-\x24\x26-\x7e]{1,240}$/;
const unfit = /[^\x20-\x7e\x80-\xff]|\xef\xbf[\xbe\xbf]/;
const escapedInText = /[^\x20-\x24\x26-\x7e\x80-\xff]|\xef\xbf[\xbe\xbf]/g;
const escapedInBytes = /[^\x20-\x24\x26-\x7e]/g;
const readsAsEscape = /%(?:[0-9A-Fa-f]{2}|~)/;
const longestSegment = 240;

const escapeOf = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
const eachEscaped = (text: string): string => text.replace(/[\s\S]/g, escapeOf);

/**
 * The segment of a key that stands for a file's name. It is the name itself wherever a key can be that; two names never share a
 * segment. Escaped (`%` and two digits) are control characters, the bytes of names that are no UTF-8, each `%` of an escaped name
 * or of one that reads as if it were, and a leading `_` at the top, where this program's own objects are. Of a name that
 * becomes too long so, the beginning and a digest stay.
 *
 * @param top it lies in the sites directory itself
 */
export const segmentOf = (name: string, top = false): string => {
  const reserved = top && name.startsWith("_");
  if (plain.test(name) && !reserved) return name;
  const wellFormed = isUtf8(Buffer.from(name, "latin1"));
  let segment = name;
  if (!wellFormed || reserved || unfit.test(name) || readsAsEscape.test(name)) {
    segment = name.replace(wellFormed ? escapedInText : escapedInBytes, eachEscaped);
    if (reserved) segment = `%5F${segment.slice(1)}`;
  }
  if (segment.length <= longestSegment) return segment;
  const digest = createHash("sha256").update(name, "latin1").digest("hex").slice(0, 40);
  const kept = segment.slice(0, longestSegment - 2 - digest.length).replace(/%.?$|[\xc0-\xff][\x80-\xbf]{0,3}$/, "");
  return `${kept}%~${digest}`;
};

/** The name that a segment stands for; of a shortened one, the segment itself. */
const nameOf = (segment: string): string =>
  segment.includes("%~")
    ? segment
    : segment.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));

/** The path that a key below `sites/` stands for. */
export const pathOfKey = (key: string): string => key.split("/").map(nameOf).join("/");

const ascii = /^[^\x80-\uffff]*$/;

/** A path as text: itself, or with the escapes of its key where it is no UTF-8. */
export const pathText = (path: string): { readonly text: string; readonly raw?: Buffer } => {
  if (ascii.test(path)) return { text: path };
  const bytes = Buffer.from(path, "latin1");
  if (isUtf8(bytes)) return { text: bytes.toString("utf8") };
  return {
    text: path
      .split("/")
      .map((name) => Buffer.from(segmentOf(name), "latin1").toString("utf8"))
      .join("/"),
    raw: bytes,
  };
};

/** A key as destinations take it, from its bytes. */
export const keyText = (key: string): string => (ascii.test(key) ? key : Buffer.from(key, "latin1").toString("utf8"));

/** The opposite. */
export const keyBytes = (key: string): string => (ascii.test(key) ? key : Buffer.from(key, "utf8").toString("latin1"));
