import type { Socket } from "node:net";
import { releaseBytes } from "@openemr-ops/core/releaseBytes";
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

/** Takes the values of one row where they are in `bytes`, which is another row's once this has ended. Set: the next row has to wait. */
export type TakeRow = (bytes: Buffer, start: number, end: number) => Promise<void> | undefined;

interface RowPacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
}

/** A row that is as long or longer comes in several packets. Source: MariaDB knowledge base, "0-packet", packet splitting. */
const packetBytes = 2 ** 24 - 1;
const headerBytes = 4;

/** A packet as the driver's parser gives it: the same object each time. */
interface ParsedPacket {
  sequenceId: number;
  numPackets: number;
  buffer: Buffer;
  start: number;
  offset: number;
  end: number;
}

/** The driver's parser of packets, as far as it puts a long row together from several. */
interface PacketParser {
  readonly largePacketParts: Buffer[];
  readonly firstPacketSequenceId: number;
  readonly _reusablePacket: ParsedPacket;
  readonly onPacket: (packet: ParsedPacket) => void;
  _flushLargePacket: (this: PacketParser) => void;
}

/** Gives back the memory of each packet as soon as it is copied, so that a long row is in memory once, not twice. */
const joinPackets = function (this: PacketParser): void {
  const parts = this.largePacketParts.splice(0);
  const row = Buffer.allocUnsafeSlow(parts.reduce((length, part) => length + part.length, headerBytes));
  let end = headerBytes;
  for (const part of parts) {
    part.copy(row, end);
    end += part.length;
    if (part.length >= packetBytes) releaseBytes(part, headerBytes);
  }
  const packet = this._reusablePacket;
  packet.sequenceId = this.firstPacketSequenceId;
  packet.numPackets = parts.length;
  packet.buffer = row;
  packet.start = 0;
  packet.offset = headerBytes;
  packet.end = end;
  this.onPacket(packet);
};

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
  (connection as unknown as { readonly packetParser: PacketParser }).packetParser._flushLargePacket = joinPackets;
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
            const release = () => {
              if (end - offset >= packetBytes) releaseBytes(buffer); // put together for this row alone
            };
            if (waiting) waitFor(waiting.then(release));
            else release();
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
