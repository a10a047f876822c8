import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Destination } from "@openemr-ops/core/destination";
import type { BulkCopier, FileList } from "@openemr-ops/exports/sites/bulk/bulkCopier";
import { readAll } from "./bytes.ts";

/** The names of a list, by the rules of CSV: a quoted field a line, in which a quote is written twice. */
export const namesOn = (text: string): readonly string[] =>
  [...text.matchAll(/"((?:[^"]|"")*)"\n/g)].map(([, name = ""]) => name.replaceAll('""', '"'));

export interface CopierChanges {
  /** What is copied in place of what the list names. */
  readonly instead?: (names: readonly string[]) => readonly string[];
  /** What arrives in place of a file's bytes. */
  readonly bytes?: (name: string, bytes: Buffer) => Buffer;
  readonly before?: () => Promise<void>;
  readonly after?: () => Promise<void>;
}

/** Copies exactly what a list names, as a service would that knows nothing of our rules; or something else. */
export const bulkCopierDouble = (root: string, destination: Destination, changes: CopierChanges = {}) => {
  const lists: FileList[] = [];
  const copied: string[] = [];
  const copier: BulkCopier = {
    assertReady: async () => undefined,
    copy: async (list) => {
      lists.push(list);
      await changes.before?.();
      const stream = await destination.get(list.key);
      const names = namesOn(stream ? (await readAll(stream)).toString() : "");
      for (const name of changes.instead?.(names) ?? names) {
        const bytes = await readFile(join(root, name)).catch(() => undefined);
        if (!bytes) continue; // it has gone
        copied.push(name);
        await destination.put(`sites/${name}`, changes.bytes?.(name, bytes) ?? bytes);
      }
      await changes.after?.();
    },
  };
  return { copier, lists, copied };
};
