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
  expect(first.value).toBe("sites/default/documents/01055"); // the 950th of those that have an object
  expect(await collected(marks)).toEqual([]); // the rows have gone past: nothing is read again
});

it("names them while its rows are read, however far ahead", async () => {
  const { inventory, reads } = await stored();
  const [marks, parts] = await Promise.all([collected(inventory.marks()), collected(inventory.rows())]);

  expect(parts.flatMap((part) => [...part])).toHaveLength(3000);
  expect(marks[0]).toBe("sites/default/documents/01055");
  expect(reads.length).toBeLessThanOrEqual(5);
});
