import { PassThrough, type Readable } from "node:stream";

/**
 * The same bytes, with the errors of the source translated: also the one for a source that closes before its end.
 * Destroying the result destroys the source.
 */
export const withRenamedErrors = (source: Readable, rename: (error: unknown) => Error): Readable => {
  const stream = new PassThrough();
  source.on("error", (error) => stream.destroy(rename(error)));
  source.on("close", () => {
    if (!source.readableEnded && !stream.destroyed)
      stream.destroy(rename(new Error("the connection closed before the end")));
  });
  stream.on("close", () => source.destroy());
  source.pipe(stream);
  return stream;
};
