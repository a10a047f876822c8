import type { HeaderEntry } from "./rawMessage.ts";

/** Octets of a line without its end. Source: RFC 5322, 2.1.1. */
const longestLine = 998;
const wanted = 76;

/** Breaks a line before a blank, where one is. What has no blank stays long: a break would change it. */
const folded = (line: string, length: number): string => {
  if (line.length <= length) return line;
  const before = line.lastIndexOf(" ", length);
  const at = before > 0 && line.slice(0, before).trim() !== "" ? before : line.indexOf(" ", length);
  if (at === -1 || line.slice(at).trim() === "") return line;
  return `${line.slice(0, at)}\r\n${folded(line.slice(at), length)}`;
};

/** A header of our own: ASCII in one line, folded before blanks. */
export const headerOf = (name: string, value: string): HeaderEntry => ({
  name: name.toLowerCase(),
  bytes: Buffer.from(`${folded(`${name}: ${value}`, wanted)}\r\n`),
});

/** The same header under another name. */
export const renamed = ({ bytes }: HeaderEntry, name: string): HeaderEntry => ({
  name: name.toLowerCase(),
  bytes: Buffer.concat([Buffer.from(name), bytes.subarray(bytes.indexOf(":"))]),
});

/** A header without lines that mail servers refuse. One with only short lines stays as it is, byte by byte. */
export const withShortLines = (entry: HeaderEntry): HeaderEntry => {
  const lines = entry.bytes.toString("latin1").split("\r\n");
  if (lines.every(({ length }) => length <= longestLine)) return entry;
  const shorter = lines.map((line) => folded(line, longestLine)).join("\r\n");
  return { name: entry.name, bytes: Buffer.from(shorter, "latin1") };
};
