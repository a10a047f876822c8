import { createHash } from "node:crypto";
import { pipeline, Readable, Transform } from "node:stream";
import type { PutReceipt } from "./destination.ts";

/** A body on its way to a destination, measured while it flows. */
export interface MeasuredBody {
  /** Read this instead of the body. Destroying it destroys the body. */
  readonly stream: Readable;
  /** Size and digest of what has flowed so far. */
  receipt(): PutReceipt;
  /** Set when the body itself broke off: that is the failure to report, whatever the destination says afterwards. */
  failure(): Error | undefined;
}

/** What a `put` of bytes that are all in memory answers. */
export const receiptFor = (bytes: Buffer): PutReceipt => ({
  byteLength: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/**
 * Wraps the body of a `put`. Listens to the body at once, so that one that fails before the destination is ready to
 * read it does not end the process as an unhandled error.
 */
export const measuredBody = (body: Readable | Buffer): MeasuredBody => {
  const hash = createHash("sha256");
  let byteLength = 0;
  let failure: Error | undefined;
  const source = Buffer.isBuffer(body) ? Readable.from(body.length > 0 ? [body] : [], { objectMode: false }) : body;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      byteLength += chunk.length;
      done(null, chunk);
    },
  });
  const blame = (error: Error) => {
    if (!stream.destroyed) failure ??= error; // after that the pipe destroys the source on the destination's account
  };
  if (source.errored) failure = source.errored;
  source.on("error", blame);
  source.on("close", () => {
    if (!source.readableEnded) blame(new Error("the data to be stored broke off"));
  });
  pipeline(source, stream, (error) => {
    if (error && !stream.destroyed) stream.destroy(error);
  });
  stream.on("error", () => undefined); // the reader of the stream gets it too
  return {
    stream,
    receipt: () => ({ byteLength, sha256: hash.copy().digest("hex") }),
    failure: () => failure,
  };
};
