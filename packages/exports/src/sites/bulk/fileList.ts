import type { Destination } from "@openemr-ops/core/destination";
import { storingFile } from "../../database/storedFile.ts";
import { inventoryFolder } from "../inventory/parts.ts";

/** What every reader of a list takes as it is: letters, digits and marks that mean nothing in CSV, in a pattern, or to S3. */
const plain = /^[A-Za-z0-9_(@+=,&'][A-Za-z0-9 _.()@+=,&'-]*(?<! )$/;

/** Whether a service would give the file the key that it has to have, and a list can name it beyond doubt. */
export const mayBeListed = ({ path, key }: { readonly path: string; readonly key: string }): boolean =>
  path === key && path.split("/").every((name) => plain.test(name) && !name.startsWith("."));

/** One line of CSV, quoted: a comma ends no name. Source: AWS DataSync User Guide, "Creating your manifest". */
const lineOf = (path: string): Buffer => Buffer.from(`"${path}"\n`);

export interface FileListWriter {
  readonly key: string;
  add(path: string, byteLength: number): Promise<void>;
  /** Ends the list. @returns how much is on it */
  finish(): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Ends the upload; nothing of it appears. Safe to repeat. */
  abandon(reason: Error): Promise<void>;
}

/** Writes a list to the destination while files are found. It lies beside the inventory, and goes when the next one is published. */
export const fileListWriter = (destination: Destination, exportId: string): FileListWriter => {
  const key = `${inventoryFolder}${exportId}-files.csv`;
  let file: ReturnType<typeof storingFile> | undefined;
  let files = 0;
  let bytes = 0;
  return {
    key,
    add: async (path, byteLength) => {
      file ??= storingFile(destination, { key, path: key }, () => undefined);
      files += 1;
      bytes += byteLength;
      await file.write(lineOf(path));
    },
    finish: async () => {
      await file?.end();
      return { files, bytes };
    },
    abandon: async (reason) => {
      await file?.abandon(reason);
    },
  };
};
