import { createHash, hash } from "node:crypto";

/** Number, length and digest of rows that pass as SQL, each on a line that ends with a comma or, in a statement's last, a semicolon. */
export interface RowsDigest {
  readonly rows: number;
  /** Bytes of the rows as SQL. */
  readonly byteLength: number;
  /**
   * @param run bytes that go on where the last ended, cut anywhere
   * @param rows how many rows end in them
   * @param ends their last row is the last of its statement
   */
  add(run: Buffer, rows: number, ends: boolean): void;
  /** Closes it. */
  sha256(): string;
}

const newline = 10;
const rowEnd = Buffer.from(",\n");

type Sums = Pick<RowsDigest, "sha256"> & { take(run: Buffer, ends: boolean): void };

/** Of all rows in their order, whatever statements they are in: each ends like one within a statement. */
const inOrder = (): Sums => {
  const all = createHash("sha256");
  let held: Buffer | undefined; // last byte of an unfinished row: it may be the semicolon before the newline
  const release = () => {
    if (held) all.update(held);
    held = undefined;
  };
  return {
    take: (run, ends) => {
      if (!ends) {
        release();
        const whole = run.at(-1) === newline;
        all.update(whole ? run : run.subarray(0, -1));
        if (!whole) held = Buffer.from(run.subarray(-1));
        return;
      }
      if (run.length === 1)
        held = undefined; // the semicolon itself
      else {
        release();
        all.update(run.subarray(0, -2));
      }
      all.update(rowEnd);
    },
    sha256: () => all.digest("hex"),
  };
};

/** Adds SHA-256 values modulo 2^256: the sum does not depend on their order. */
export const orderFreeSum = () => {
  const sum = new Uint32Array(8);
  const one = Buffer.alloc(32);
  /** @param sha256 one character a byte, which Node makes four times as fast as a Buffer */
  const add = (sha256: string): void => {
    one.write(sha256, "latin1");
    let carry = 0;
    for (let word = 7; word >= 0; word--) {
      const total = (sum[word] ?? 0) + one.readUInt32BE(word * 4) + carry;
      sum[word] = total;
      carry = total > 0xffffffff ? 1 : 0;
    }
  };
  return {
    add,
    addHashOf: (content: string | Buffer): void => add(hash("sha256", content, "binary")),
    sha256: () => [...sum].map((word) => word.toString(16).padStart(8, "0")).join(""),
  };
};

/** Of the rows in whatever order. */
const orderFree = (): Sums => {
  const { add, addHashOf, sha256 } = orderFreeSum();
  let row: ReturnType<typeof createHash> | undefined; // of an unfinished row
  let held: Buffer | undefined; // its last byte: it may be the comma or semicolon before the newline, which is no part
  const takePart = (part: Buffer): void => {
    if (part.length === 0) return;
    row ??= createHash("sha256");
    if (held) row.update(held);
    row.update(part.subarray(0, -1));
    held = Buffer.from(part.subarray(-1));
  };
  return {
    take: (run) => {
      let at = 0;
      while (at < run.length) {
        const end = run.indexOf(newline, at);
        if (end < 0) return takePart(run.subarray(at));
        if (row || end === at) {
          takePart(run.subarray(at, end));
          if (row) add(row.digest("binary"));
          row = undefined;
          held = undefined;
        } else addHashOf(run.subarray(at, end - 1));
        at = end + 1;
      }
    },
    sha256,
  };
};

/** @param keyed the rows have a primary key, so that they come in an order that means something */
export const rowsDigest = (keyed: boolean): RowsDigest => {
  const sums = keyed ? inOrder() : orderFree();
  let count = 0;
  let byteLength = 0;
  return {
    get rows() {
      return count;
    },
    get byteLength() {
      return byteLength;
    },
    add: (run, rows, ends) => {
      count += rows;
      byteLength += run.length;
      sums.take(run, ends);
    },
    sha256: sums.sha256,
  };
};
