import type { Destination } from "@openemr-ops/core/destination";
import type { FileSink } from "../parquet/parquetWriter.ts";
import { streamSink } from "../parquet/streamSink.ts";

/** An object of the export, as it was written. */
export interface StoredFile {
  /** Below the export's directory. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface StoringFile extends FileSink {
  /** Ends the upload; nothing of it appears. Safe to repeat. */
  abandon(reason: Error): Promise<void>;
}

/** A file that goes to the destination while it is written, without a disk in between. @param stored gets what arrived */
export const storingFile = (
  destination: Destination,
  { key, path }: { readonly key: string; readonly path: string },
  stored: (file: StoredFile) => void,
): StoringFile => {
  const sink = streamSink();
  let failure: Error | undefined;
  const putting = destination.put(key, sink.stream);
  const ended = putting.then(
    ({ byteLength, sha256 }) => stored({ path, bytes: byteLength, sha256 }),
    (error: Error) => {
      failure ??= error;
      sink.fail(error);
    },
  );
  /** The destination knows better than a stream that it closed. */
  const explained = async (work: () => Promise<void> | undefined): Promise<void> => {
    try {
      await work();
    } catch (error) {
      await ended;
      throw failure ?? error;
    }
  };
  return {
    write: (bytes) => {
      if (failure) throw failure;
      return explained(() => sink.write(bytes));
    },
    end: async () => {
      await explained(() => sink.end());
      await ended;
      if (failure) throw failure;
    },
    abandon: async (reason) => {
      sink.fail(reason);
      await ended;
    },
  };
};
