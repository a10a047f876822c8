import { hostname } from "node:os";
import type { Destination } from "@openemr-ops/core/destination";
import * as z from "zod";

/** A restic of ours that took a lock of the repository to write there. */
export interface OwnProcess {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601 UTC, when it was started. */
  readonly at: string;
}

const Note = z
  .array(z.object({ host: z.string().max(255), pid: z.int().nonnegative(), at: z.iso.datetime() }))
  .max(1000);

/** Numbers of processes come again; locks do not live as long. */
const forgottenAfterMilliseconds = 3 * 24 * 3600 * 1000;
const mostNoted = 100;
const largestNote = 256 * 1024;

/** Beside the verifications: whoever checks or dumps may write there, and earlier releases pass over it. */
const keyOf = (installation: string) => `verifications/${installation}/processes.json`;

/** What jobs noted that hold our lock on the repository; a note that is absent or cannot be read says nothing. */
export const readNote = async (destination: Destination, installation: string): Promise<readonly OwnProcess[]> => {
  try {
    const stream = await destination.get(keyOf(installation));
    if (!stream) return [];
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += (chunk as Buffer).length;
      if (size > largestNote) return [];
      chunks.push(chunk as Buffer);
    }
    return Note.parse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  } catch {
    return [];
  }
};

export const writeNote = async (
  destination: Destination,
  installation: string,
  processes: readonly OwnProcess[],
): Promise<void> => {
  await destination.put(keyOf(installation), Buffer.from(`${JSON.stringify(processes.slice(-mostNoted))}\n`));
};

/**
 * Notes each restic of ours at the destination, where the next job finds it wherever that runs. A note that cannot be written
 * only means that a lock of this restic is not known to be ours.
 */
export const processNotes = (destination: Destination, installation: string) => {
  let written: Promise<unknown> = Promise.resolve();
  return {
    add: (pid: number): void => {
      const now = new Date();
      const add = async () => {
        const fresh = (await readNote(destination, installation)).filter(
          ({ at }) => now.getTime() - Date.parse(at) < forgottenAfterMilliseconds,
        );
        await writeNote(destination, installation, [...fresh, { host: hostname(), pid, at: now.toISOString() }]);
      };
      written = written.then(add).catch(() => undefined);
    },
    /** Settles when all notes are written. */
    settled: () => written,
  };
};
