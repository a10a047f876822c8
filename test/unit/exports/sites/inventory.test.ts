import type { Destination } from "@openemr-ops/core/destination";
import { inventoryWriter, openInventory } from "@openemr-ops/exports/sites/inventory/parts";
import type { InventoryRow } from "@openemr-ops/exports/sites/inventory/row";
import { expect, it } from "vitest";
import { memoryDestination } from "../../../support/memoryDestination.ts";

const row = (index: number): InventoryRow => {
  const place = `default/documents/${String(index).padStart(5, "0")}`;
  return { place, path: place, state: "present", byteLength: index, etag: index % 10 === 0 ? undefined : "e" };
};
const rows = Array.from({ length: 3000 }, (_, index) => row(index));

/** An inventory of five parts, and how often each was read. */
const stored = async () => {
  const memory = memoryDestination();
  const writer = inventoryWriter(memory, "20261127T040000Z-aaaaaaaa", 700);
  for (const each of rows) await writer.add(each);
  const reads: string[] = [];
  const destination: Destination = {
    ...memory,
    get: (key, range) => {
      reads.push(key);
      return memory.get(key, range);
    },
  };
  return { inventory: openInventory(destination, await writer.finish()), reads };
};

const collected = async <Item>(stream: AsyncIterable<Item>): Promise<Item[]> => {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
};

it("names keys of its objects between which a listing can be asked side by side, and is read once", async () => {
  const { inventory, reads } = await stored();
  const marks = inventory.marks();
  const first = await marks.next();
  const found = (await collected(inventory.rows())).flatMap((part) => [...part]);

  expect(found.map(({ place, etag }) => ({ place, etag }))).toEqual(rows.map(({ place, etag }) => ({ place, etag })));
  expect(reads).toHaveLength(5);
  expect(first.value).toBe("sites/default/documents/01099"); // the 990th of those that have an object
  expect(await collected(marks)).toEqual([]); // the rows have gone past: nothing is read again
});

it("names them while its rows are read, however far ahead", async () => {
  const { inventory, reads } = await stored();
  const [marks, parts] = await Promise.all([collected(inventory.marks()), collected(inventory.rows())]);

  expect(parts.flatMap((part) => [...part])).toHaveLength(3000);
  expect(marks[0]).toBe("sites/default/documents/01099");
  expect(reads.length).toBeLessThanOrEqual(5);
});

it.each(["00000", "00002", "00004"])("is not written when part %s cannot be stored", async (part) => {
  const memory = memoryDestination();
  const destination: Destination = {
    ...memory,
    put: async (key, body) => {
      if (key.includes(part)) throw new Error("the store is full");
      return memory.put(key, body);
    },
  };
  const writing = async () => {
    const writer = inventoryWriter(destination, "20261127T040000Z-aaaaaaaa", 700);
    for (const each of rows) await writer.add(each);
    return writer.finish();
  };

  await expect(writing()).rejects.toThrow("the store is full");
});

it("stores a part while the next one is filled, one at a time and in order", async () => {
  const memory = memoryDestination();
  let underWay = 0;
  let most = 0;
  const destination: Destination = {
    ...memory,
    put: async (key, body) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, key.includes("00000") ? 20 : 1));
      underWay -= 1;
      return memory.put(key, body);
    },
  };
  const writer = inventoryWriter(destination, "20261127T040000Z-aaaaaaaa", 700);
  const waits: boolean[] = [];
  for (const each of rows) {
    const waiting = writer.add(each);
    waits.push(waiting !== undefined);
    await waiting;
  }
  const parts = await writer.finish();

  expect(waits.indexOf(true)).toBe(2 * 700 - 1); // the second part is full, and the first on its way
  expect(most).toBe(1);
  expect(parts.map(({ rows: count }) => count)).toEqual([700, 700, 700, 700, 200]);
  expect(parts.map(({ key }) => key)).toEqual(memory.keys());
});

it("is settled once the part that is being stored is, whether it fails or not", async () => {
  for (const fails of [false, true]) {
    const memory = memoryDestination();
    let ended = false;
    const destination: Destination = {
      ...memory,
      put: async (key, body) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        ended = true;
        if (fails) throw new Error("the store is full");
        return memory.put(key, body);
      },
    };
    const writer = inventoryWriter(destination, "20261127T040000Z-aaaaaaaa", 700);
    await writer.settle(); // nothing was begun
    for (const each of rows.slice(0, 700)) await writer.add(each);
    expect(ended).toBe(false);

    await writer.settle();
    expect(ended).toBe(true);
  }
});
