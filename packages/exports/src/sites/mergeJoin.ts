import { UnexpectedError } from "@openemr-ops/core/errors";

/** What several streams have of one key. */
export type Joined<Streams extends Readonly<Record<string, object>>> = { readonly key: string } & {
  readonly [Name in keyof Streams]?: Streams[Name];
};

interface Head<Item> {
  readonly name: string;
  readonly next: () => Promise<void>;
  item: Item | undefined;
}

/**
 * Walks through streams that are sorted by key, side by side: one item of each is in memory.
 *
 * @param keyOf of an item; keys of a stream are sorted and differ
 * @throws {UnexpectedError} fatal: a stream is not sorted
 */
export const mergeJoin = async function* <Streams extends Readonly<Record<string, object>>>(
  streams: { readonly [Name in keyof Streams]: AsyncIterable<Streams[Name]> },
  keyOf: { readonly [Name in keyof Streams]: (item: Streams[Name]) => string },
): AsyncGenerator<Joined<Streams>, void> {
  type Item = { readonly key: string; readonly value: object };
  const iterators = Object.entries<AsyncIterable<object>>(streams).map(([name, stream]) => ({
    name,
    iterator: stream[Symbol.asyncIterator](),
  }));
  const heads = iterators.map(({ name, iterator }): Head<Item> => {
    const keyOfItem: (item: never) => string = keyOf[name as keyof Streams];
    const head: Head<Item> = {
      name,
      item: undefined,
      next: async () => {
        const { done, value } = await iterator.next();
        const before = head.item?.key;
        head.item = done ? undefined : { key: keyOfItem(value as never), value };
        if (head.item && before !== undefined && head.item.key <= before)
          throw new UnexpectedError(`the ${name} of an export are out of order`);
      },
    };
    return head;
  });
  try {
    await Promise.all(heads.map(({ next }) => next()));
    for (;;) {
      let key: string | undefined;
      for (const { item } of heads) if (item && (key === undefined || item.key < key)) key = item.key;
      if (key === undefined) return;
      const found: Record<string, unknown> = { key };
      const due = heads.filter(({ item }) => item?.key === key);
      for (const { name, item } of due) found[name] = item?.value;
      yield found as Joined<Streams>;
      for (const { next } of due) await next();
    }
  } finally {
    await Promise.all(iterators.map(({ iterator }) => iterator.return?.()));
  }
};
