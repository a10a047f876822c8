import { InvalidInputError } from "./errors.ts";

/** S3's limit for a whole key in UTF-8, Google's too. The prefix counts, so ours leaves room for one. */
const longestKey = 900;
/** Most file systems stop at 255 bytes a name. */
const longestSegment = 240;

/** Control characters, and the two that no XML document can hold: listings of S3 are XML. */
const isUnfit = (letter: string): boolean =>
  letter < " " || letter === "\u007f" || letter === "\ufffe" || letter === "\uffff";

const complaintOf = (key: string, isPrefix: boolean): string | undefined => {
  if (!key.isWellFormed()) return "is not well-formed Unicode";
  if ([...key].some(isUnfit)) return "contains a control character";
  if (Buffer.byteLength(key) > longestKey) return `is longer than ${longestKey} bytes`;
  const segments = key.split("/");
  const checked = isPrefix && segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  if (checked.includes("")) return "has an empty segment";
  if (checked.some((segment) => segment === "." || segment === "..")) return "has a segment . or ..";
  if (checked.some((segment) => Buffer.byteLength(segment) > longestSegment))
    return `has a segment longer than ${longestSegment} bytes`;
  return undefined;
};

const check = (key: string, isPrefix: boolean): string => {
  const complaint = complaintOf(key, isPrefix);
  if (complaint)
    throw new InvalidInputError([{ path: "key", message: `${JSON.stringify(key.slice(0, 200))} ${complaint}` }]);
  return key;
};

/**
 * Returns the key of an object when every kind of destination can hold it: segments separated by single slashes, none
 * of them `.` or `..`, no control characters, at most 900 bytes of UTF-8.
 *
 * @throws {InvalidInputError} fatal: names the key and what is wrong with it
 */
export const checkedKey = (key: string): string => check(key, false);

/** The same for what a listing starts with: may be empty, end in a slash, or stop inside a segment. */
export const checkedPrefix = (prefix: string): string => check(prefix, true);

/** Order of keys in every listing: by their UTF-8 bytes, as S3 and Google Cloud Storage have it. */
export const compareKeys = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
