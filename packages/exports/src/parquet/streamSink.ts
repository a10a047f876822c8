import { once } from "node:events";
import { PassThrough, type Readable } from "node:stream";
import type { FileSink } from "./parquetWriter.ts";

/** A file as a stream for whoever stores it: what is not read yet is bounded. */
export interface StreamSink extends FileSink {
  readonly stream: Readable;
  /** Ends the stream with an error: nobody takes what is there for a whole file. */
  fail(error: Error): void;
}

const mostWaiting = 1024 * 1024;

export const streamSink = (): StreamSink => {
  const stream = new PassThrough({ highWaterMark: mostWaiting });
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  const closed = once(stream, "close").then(() => {});
  closed.catch(() => {});
  const assertOpen = (): void => {
    if (failure) throw failure;
    if (stream.destroyed) throw new Error("the file's stream was closed before its end");
  };
  const untilDrained = async (): Promise<void> => {
    await Promise.race([once(stream, "drain").catch(() => {}), closed.catch(() => {})]);
    assertOpen();
  };
  return {
    stream,
    write: (bytes) => {
      assertOpen();
      return stream.write(bytes) ? undefined : untilDrained();
    },
    end: async () => {
      assertOpen();
      stream.end();
    },
    fail: (error) => void stream.destroy(error),
  };
};
