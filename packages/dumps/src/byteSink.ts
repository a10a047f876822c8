import { once } from "node:events";
import type { Writable } from "node:stream";

/** Takes bytes in order; the promise settles when more may come (back-pressure). */
export type ByteSink = (chunk: Buffer) => Promise<void> | undefined;

/** A sink over a stream of Node's. A reader that goes away lets writes pass: its exit status tells the failure. */
export const streamSink =
  (stream: Writable): ByteSink =>
  (chunk) => {
    if (stream.destroyed || stream.write(chunk)) return undefined;
    return Promise.race([once(stream, "drain"), once(stream, "close")]).then(() => undefined);
  };
