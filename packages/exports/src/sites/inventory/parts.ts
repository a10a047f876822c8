import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError } from "@openemr-ops/core/errors";
import { PageBuffers } from "../../parquet/pageBuffers.ts";
import { readAllOf } from "../../readAllOf.ts";
import { keyText } from "../objectNames.ts";
import { type OpenPart, openPart, type ReadRows, readParquet, sitesFolder } from "./parquet.ts";
import type { InventoryPart, InventoryRow } from "./row.ts";

export const inventoryFolder = "sites/_inventory/";

/** Rows of a part: what is in memory at once when an inventory is read. */
const rowsInPart = 10_000;

export interface InventoryWriter {
  /** Rows come in the order of their places. */
  add(row: InventoryRow): Promise<void> | undefined;
  /** Stores what is left. @returns every part, in order */
  finish(): Promise<readonly InventoryPart[]>;
  /** Waits until nothing is under way; failures are ignored. */
  settle(): Promise<void>;
}

/** Writes the parts of one run's inventory; nothing names them before the run says so. */
export const inventoryWriter = (destination: Destination, exportId: string, most = rowsInPart): InventoryWriter => {
  const parts: InventoryPart[] = [];
  const buffers = new PageBuffers();
  let part = openPart(buffers);
  let rows = 0;
  let storing: Promise<void> | undefined;

  const storeBehind = async (before: Promise<void> | undefined, full: OpenPart, count: number): Promise<void> => {
    await before;
    const key = `${inventoryFolder}${exportId}-${String(parts.length).padStart(5, "0")}.parquet`;
    const { sha256 } = await destination.put(key, await full.finish());
    parts.push({ key, sha256, rows: count });
  };
  /** Stores the part while the next one is filled; there are two at most. */
  const flush = (): Promise<void> | undefined => {
    const before = storing;
    storing = storeBehind(before, part, rows);
    storing.catch(() => undefined); // whoever waits for it reports the failure
    part = openPart(buffers);
    rows = 0;
    return before;
  };
  return {
    add: (row) => {
      const waiting = part.add(row);
      rows += 1;
      return rows < most ? waiting : flush();
    },
    finish: async () => {
      if (rows > 0 || !storing) flush();
      await storing;
      return parts;
    },
    settle: async () => {
      await Promise.allSettled([storing]);
    },
  };
};

const readPart = async (destination: Destination, { key, sha256 }: InventoryPart): Promise<ReadRows> => {
  const found = await readAllOf(destination, key);
  const refuse = (what: string) =>
    new IntegrityError(
      `the inventory part ${key} in ${destination.url} is ${what}: remove sites/_SUCCESS and sites/_INCOMPLETE there, and export again`,
    );
  if (found?.sha256 !== sha256) throw refuse(found ? "not the one that was written" : "absent");
  try {
    return await readParquet(found.bytes);
  } catch {
    throw refuse("no inventory, though it has the digest that is written down"); // who writes the one can write the other
  }
};

/** Objects between two marks of a listing: fewer than a store gives at once, since files come between them. */
const objectsBetweenMarks = 990;

/** An inventory that is read from its beginning to its end. */
export interface OpenInventory {
  /**
   * Its rows in order, some at a time.
   *
   * @throws {IntegrityError} damaged: a part is absent or altered
   */
  rows(): AsyncGenerator<readonly InventoryRow[], void>;
  /** Keys of its objects, some hundreds apart: where a listing can be begun. Reads ahead of `rows`, which need not read the same again. */
  marks(): AsyncGenerator<string, void>;
}

/** A part is read once, and forgotten when the rows have gone past it. */
export const openInventory = (destination: Destination, parts: readonly InventoryPart[]): OpenInventory => {
  const begun = new Map<InventoryPart, Promise<ReadRows>>();
  let passed = 0;
  const read = (part: InventoryPart): Promise<ReadRows> => {
    const reading = begun.get(part) ?? readPart(destination, part);
    begun.set(part, reading);
    reading.catch(() => undefined); // whoever waits for it reports the failure
    return reading;
  };
  return {
    async *rows() {
      for (const part of parts) {
        yield* (await read(part)).rows();
        begun.delete(part);
        passed += 1;
      }
    },
    async *marks() {
      let objects = 0;
      for (const [index, part] of parts.entries()) {
        if (index < passed) continue;
        for (const place of (await read(part)).objects()) {
          objects += 1;
          if (objects % objectsBetweenMarks === 0) yield sitesFolder + keyText(place);
        }
      }
    },
  };
};

/** The rows of an inventory in order. @throws as `OpenInventory.rows` */
export const inventoryRows = async function* (
  destination: Destination,
  parts: readonly InventoryPart[],
): AsyncGenerator<InventoryRow, void> {
  for await (const rows of openInventory(destination, parts).rows()) yield* rows;
};

/** Writes each part again in which `change` gives another row. No reader knows of these parts yet. */
export const rewriteParts = async (
  destination: Destination,
  parts: readonly InventoryPart[],
  change: (row: InventoryRow) => InventoryRow,
): Promise<readonly InventoryPart[]> => {
  const rewritten: InventoryPart[] = [];
  for (const part of parts) {
    const changed = openPart();
    let differs = false;
    for (const rows of (await readPart(destination, part)).rows())
      for (const row of rows) {
        const now = change(row);
        differs ||= now !== row;
        await changed.add(now);
      }
    const bytes = await changed.finish();
    rewritten.push(differs ? { ...part, sha256: (await destination.put(part.key, bytes)).sha256 } : part);
  }
  return rewritten;
};
