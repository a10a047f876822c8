import type { Readable, Writable } from "node:stream";

/** Takes bytes in order; the promise settles when more may come (back-pressure). */
export type ByteSink = (chunk: Buffer) => Promise<void> | undefined;

/** Settles when a stream takes more, or is closed. */
export const drained = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    const settle = () => {
      stream.off("drain", settle);
      stream.off("close", settle);
      resolve();
    };
    stream.on("drain", settle);
    stream.on("close", settle);
    if (stream.closed) settle();
  });

/** Settles when all that was written so far has left for the reader, or never can. */
export const flushed = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });

/** A sink over a stream of Node's. A reader that goes away lets writes pass: its exit status tells the failure. */
export const streamSink =
  (stream: Writable): ByteSink =>
  (chunk) =>
    stream.destroyed || stream.write(chunk) ? undefined : drained(stream);

/**
 * Keeps what a program prints until somebody reads it, by async iteration: of a program that ended before, Node throws it
 * away. A short dump on a busy machine ends that early.
 */
export const awaitReader = (stdout: Readable): Readable => stdout.on("readable", () => {});

/**
 * A stream as far as it was announced. Whoever can write to a destination can make one that never ends.
 *
 * @param most bytes
 * @throws what `exceeded` makes, as soon as more came; the stream is then closed
 */
export const announcedOnly = async function* (
  stream: Readable,
  most: number,
  exceeded: () => Error,
): AsyncGenerator<Buffer, void> {
  let seen = 0;
  for await (const chunk of stream) {
    seen += (chunk as Buffer).length;
    if (seen > most) throw exceeded();
    yield chunk as Buffer;
  }
};

/** Whether its reader closed a stream before its end, as leaving an async iteration does: it needs no more. */
export const isClosedEarly = (stream: Readable): boolean => stream.destroyed && !stream.readableEnded;

const blockBytes = 256 * 1024;

/** A stream in larger pieces: a dump program writes 4 KiB at a time, and each piece costs a turn of the event loop. */
export const inBlocks = async function* (stream: Readable): AsyncGenerator<Buffer, void> {
  let pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    if (size < blockBytes) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pieces);
};
