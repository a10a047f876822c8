import { DatabaseUnavailableError, DestinationUnavailableError, TableLockedError } from "@openemr-ops/core/errors";

/**
 * Watches that bytes keep moving; says on which side they stopped.
 *
 * @param table the one under way, for the message
 * @param waitsForLock asks the server whether a lock stops it
 * @param fail is called first, so that it can end what does not move
 */
export const stallWatch = (
  seconds: number,
  table: () => string | undefined,
  waitsForLock: () => Promise<boolean>,
  fail: (error: Error) => void,
) => {
  let movedAt = Date.now();
  let writing = false;
  let giveUp: (error: Error) => void = () => {};
  const stalled = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  stalled.catch(() => {});
  const stands = () => Date.now() - movedAt >= seconds * 1000;
  const errorNow = async (): Promise<Error> => {
    const where = `for ${seconds} s${table() ? ` at table ${table()}` : ""}`;
    if (writing)
      return new DestinationUnavailableError(`the destination took no byte ${where}; see dumps.stallSeconds`);
    if (await waitsForLock().catch(() => false))
      return new TableLockedError(
        `the database gave no byte ${where}: a session locks the table, SHOW PROCESSLIST shows which; see dumps.stallSeconds`,
      );
    return new DatabaseUnavailableError(
      `the database gave no byte ${where}, and no lock stops it: check the network to the server; see dumps.stallSeconds`,
    );
  };
  let asking = false;
  const look = async (): Promise<void> => {
    if (asking || !stands()) return;
    asking = true;
    const error = await errorNow();
    asking = false;
    if (!stands()) return; // it moved meanwhile
    fail(error);
    giveUp(error);
  };
  const timer = setInterval(() => void look(), Math.min(1000, seconds * 250));
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
