import { hash } from "node:crypto";
import { IntegrityError } from "@openemr-ops/core/errors";
import { programStatements } from "./programStatements.ts";
import type { ProgramDigest, ProgramSection } from "./sqlScanner.ts";

/** Keeps the programs of a stream until its end, and gives them only if they are, byte for byte, those that were written. */
export interface WrittenPrograms {
  /** @throws {IntegrityError} it is longer than what was written */
  add(section: ProgramSection, chunk: Buffer): void;
  /** All of them, in order. @throws {IntegrityError} one is not what was written, or holds something else than programs */
  whole(): readonly { readonly section: ProgramSection; readonly sql: Buffer }[];
}

const others = (section: ProgramSection) => new IntegrityError(`the dump's ${section} are not those that were written`);

export const writtenPrograms = (written: readonly ProgramDigest[]): WrittenPrograms => {
  const texts = new Map<ProgramSection, { readonly chunks: Buffer[]; length: number }>();
  return {
    add: (section, chunk) => {
      const text = texts.get(section) ?? { chunks: [], length: 0 };
      texts.set(section, text);
      text.length += chunk.length;
      const most = written.find((known) => known.section === section)?.byteLength ?? 0;
      if (text.length > most) throw others(section);
      text.chunks.push(Buffer.from(chunk));
    },
    whole: () =>
      written.map(({ section, sha256 }) => {
        const sql = Buffer.concat(texts.get(section)?.chunks ?? []);
        if (hash("sha256", sql) !== sha256) throw others(section);
        programStatements(sql.toString("latin1"), [section]);
        return { section, sql };
      }),
  };
};
