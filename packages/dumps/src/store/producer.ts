import type { ByteSink } from "@openemr-ops/files/byteSink";

/**
 * Sends the bytes of one object in order. It is stopped by the signal, and has to end soon after: whoever stores the object
 * waits for that, so that no program and no session of it is left when the store's call has ended.
 */
export type Produce = (sink: ByteSink, signal: AbortSignal) => Promise<void>;

/**
 * Waits until a producer has sent all, or until what takes its bytes has ended before; then it stops the producer.
 *
 * @param taken settles when nothing is taken any more
 * @param signal stops the producer too
 * @throws what failed first. In each case the producer has ended
 */
export const produceInto = async (
  produce: Produce,
  sink: ByteSink,
  { taken, signal }: { readonly taken: Promise<unknown>; readonly signal: AbortSignal },
): Promise<void> => {
  const refused = new AbortController();
  const produced = produce(sink, AbortSignal.any([signal, refused.signal]));
  try {
    await Promise.race([produced, taken]);
    await produced;
  } catch (error) {
    refused.abort(error);
    await Promise.allSettled([produced]);
    throw error;
  }
};
