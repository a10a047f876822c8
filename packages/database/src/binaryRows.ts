import type { Socket } from "node:net";
import type { Connection } from "mysql2";

/** A column of a result, as the server describes it. Source: MariaDB knowledge base, "Result Set Packets", column definition. */
export interface ResultField {
  readonly name: string;
  /** Number of the type, such as 3 for INT. */
  readonly columnType: number;
  /** Number of the collation; 63 is bytes. */
  readonly characterSet: number;
  /** The longest value, in bytes or digits. */
  readonly columnLength: number;
  readonly flags: number;
  /** Digits behind the point. */
  readonly decimals: number;
}

/** Takes the values of one row where they are in `bytes`, which is another row's afterwards. Set: the next row has to wait. */
export type TakeRow = (bytes: Buffer, start: number, end: number) => Promise<void> | undefined;

interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** What the driver asks for a parser of rows: the only place where it gives their bytes as they came. */
interface Executing {
  buildParserFromFields: (fields: readonly ResultField[]) => new () => { next(packet: RowPacket): undefined };
  on(event: "error" | "end", listener: (error?: Error) => void): void;
}
interface Statement {
  execute(values: readonly never[]): Executing;
}

/**
 * Gives the rows of a statement in the binary form in which the server sends those of prepared statements: numbers and moments
 * are exact, and nothing is made of a value.
 *
 * @param connection what `taker` throws, or what it waits for, ends it
 * @param signal ends it at any moment, and the connection
 * @returns the number of rows
 * @throws the driver's error, also that of the connection; what `taker` threw; the signal's reason
 */
export const readBinaryRows = async (
  connection: Connection,
  sql: string,
  taker: (fields: readonly ResultField[]) => TakeRow,
  signal?: AbortSignal,
): Promise<number> => {
  signal?.throwIfAborted();
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  const fail = (error: unknown): void => ended.reject(error);
  connection.on("error", fail); // before the query: a closed connection says so at once
  const prepare = (): Promise<Statement> =>
    new Promise((resolve, reject) => {
      connection.prepare(sql, (error, statement) =>
        error ? reject(error) : resolve(statement as unknown as Statement),
      );
      ended.promise.catch(reject);
    });
  let rows = 0;
  /**
   * The driver would take what is thrown here for an end of the rows. Its own way to end a connection waits for all rows to be
   * read; the server would go on to hold the table.
   */
  const spoil = (error: unknown): void => {
    fail(error);
    (connection as unknown as { readonly stream: Socket }).stream.destroy();
  };
  const stop = (): void => spoil(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const waitFor = (waiting: Promise<void>): void => {
    connection.pause();
    waiting.then(() => connection.resume(), spoil);
  };
  try {
    const statement = await prepare();
    const executing = statement.execute([]);
    executing.buildParserFromFields = (fields) => {
      const take = taker(fields);
      return class {
        next({ buffer, offset, end }: RowPacket): undefined {
          try {
            const waiting = take(buffer, offset, end);
            rows++;
            if (waiting) waitFor(waiting);
          } catch (error) {
            spoil(error);
          }
        }
      };
    };
    executing.on("error", fail);
    executing.on("end", () => ended.resolve());
    await ended.promise;
    connection.unprepare(sql);
    return rows;
  } finally {
    signal?.removeEventListener("abort", stop);
    connection.off("error", fail);
    connection.resume();
  }
};
