import { DestinationUnavailableError, TableLockedError } from "@openemr-ops/core/errors";

/**
 * Watches that bytes keep moving; says on which side they stopped.
 *
 * @param table the one under way, for the message
 * @param fail is called first, so that it can end what does not move
 */
export const stallWatch = (seconds: number, table: () => string | undefined, fail: (error: Error) => void) => {
  let movedAt = Date.now();
  let writing = false;
  let giveUp: (error: Error) => void = () => {};
  const stalled = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  stalled.catch(() => {});
  const timer = setInterval(
    () => {
      if (Date.now() - movedAt < seconds * 1000) return;
      const where = table() ? ` at table ${table()}` : "";
      const error = writing
        ? new DestinationUnavailableError(
            `the destination took no byte for ${seconds} s${where}; see dumps.stallSeconds`,
          )
        : new TableLockedError(
            `the database gave no byte for ${seconds} s${where}: the table may be locked (SHOW PROCESSLIST tells by whom); see dumps.stallSeconds`,
          );
      fail(error);
      giveUp(error);
    },
    Math.min(1000, seconds * 250),
  );
  return {
    /** Waits for the destination, but not for ever. */
    around: async (work: () => Promise<void> | undefined) => {
      writing = true;
      movedAt = Date.now();
      await Promise.race([work(), stalled]);
      writing = false;
      movedAt = Date.now();
    },
    orStalled: <Result>(work: Promise<Result>): Promise<Result> => Promise.race([work, stalled]),
    stop: () => clearInterval(timer),
  };
};
