import { ToolFailedError } from "@openemr-ops/core/errors";
import type { ByteSink } from "@openemr-ops/files/byteSink";

/**
 * Sends the bytes of one object in order. It is stopped by the signal, and has to end soon after: whoever stores the object
 * waits for that, so that no program and no session of it is left when the store's call has ended.
 */
export type Produce = (sink: ByteSink, signal: AbortSignal) => Promise<void>;

/**
 * Waits until a producer has sent all. When what takes its bytes ends before, the producer is stopped.
 *
 * @param taken settles when nothing is taken any more
 * @param signal stops the producer too
 * @throws what failed first. In each case the producer has ended
 * @throws {ToolFailedError} fatal: what takes the bytes ended well, and had not been sent all of them
 */
export const produceInto = async (
  produce: Produce,
  sink: ByteSink,
  { taken, signal }: { readonly taken: Promise<unknown>; readonly signal: AbortSignal },
): Promise<void> => {
  const refused = new AbortController();
  const produced = produce(sink, AbortSignal.any([signal, refused.signal]));
  const endedEarly = taken.then(() => {
    throw new ToolFailedError("the store ended before all of the data was sent to it");
  });
  endedEarly.catch(() => {}); // it may end whenever it likes once all was sent
  try {
    await Promise.race([produced, endedEarly]);
  } catch (error) {
    refused.abort(error);
    await Promise.allSettled([produced]);
    throw error;
  }
};
