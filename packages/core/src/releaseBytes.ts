/** Smaller ones may be of Node's pool, and are not worth it. */
const large = 1024 * 1024;

/**
 * Gives the memory of a large buffer back at once. The collector of garbage does so some time later: it goes by the number of
 * objects, and these are few. The buffer is empty afterwards, and so is every other view of its memory.
 *
 * Of a buffer that shares its memory with other bytes nothing is given back.
 *
 * @param around other bytes of the memory, which nobody needs either
 */
export const releaseBytes = (bytes: Buffer, around = 0): void => {
  const memory = bytes.buffer;
  if (!(memory instanceof ArrayBuffer) || memory.byteLength < large) return;
  if (memory.byteLength <= bytes.byteLength + around) memory.transfer(0);
};
