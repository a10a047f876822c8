import type { Connection } from "mysql2";

/** The bytes of one row's values, as the server sent them. */
export type RawRow = readonly (Buffer | null)[];

/** Of rows that arrived and were not taken yet; the row that reaches it is the last. */
const mostWaiting = 1024 * 1024;

const bytesOf = (row: RawRow): number => row.reduce((sum, value) => sum + (value?.length ?? 0), 0);

/**
 * Rows of one statement as they come. What waits is bounded by its bytes: the server is not read while more than a megabyte
 * does, so a single row is the most that is held beyond.
 *
 * The driver's own stream bounds the number of rows, and does not end when the connection does.
 *
 * @throws the driver's error, also that of the connection
 */
export async function* streamRows(connection: Connection, sql: string): AsyncGenerator<RawRow> {
  const waiting: RawRow[] = [];
  let bytes = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = (): void => {};
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  connection.on("error", fail); // before the query: a closed connection says so at once
  const query = connection.query({ sql, rowsAsArray: true, typeCast: false });
  query.on("error", fail);
  query.on("end", () => {
    ended = true;
    wake();
  });
  query.on("result", (given: unknown) => {
    const row = given as RawRow;
    waiting.push(row);
    bytes += bytesOf(row);
    if (bytes >= mostWaiting) connection.pause();
    wake();
  });
  try {
    for (;;) {
      const row = waiting.shift();
      if (row) {
        bytes -= bytesOf(row);
        yield row;
        continue;
      }
      if (failure) throw failure;
      if (ended) return;
      connection.resume();
      if (waiting.length > 0 || ended || failure) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    connection.off("error", fail);
    connection.resume();
  }
}
