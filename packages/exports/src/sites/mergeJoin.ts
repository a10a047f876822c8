import { UnexpectedError } from "@openemr-ops/core/errors";

/** What several streams have of one key. */
export type Joined<Streams extends Readonly<Record<string, object>>> = { readonly key: string } & {
  readonly [Name in keyof Streams]?: Streams[Name];
};

/** The items of a stream, some at a time: to wait for each of millions would take longer than all else that is done with them. */
export type Batches<Item> = AsyncIterable<Iterable<Item>>;

/** Where one stream stands. */
class Head {
  readonly name: string;
  readonly #batches: AsyncIterator<Iterable<object>>;
  readonly #keyOf: (item: object) => string;
  #batch: Iterator<object> = [][Symbol.iterator]();
  item: object | undefined;
  key: string | undefined;

  constructor(name: string, batches: AsyncIterator<Iterable<object>>, keyOf: (item: object) => string) {
    this.name = name;
    this.#batches = batches;
    this.#keyOf = keyOf;
  }

  /** Goes on to the next item. Set: it has to be waited for. */
  next(): Promise<void> | undefined {
    const { done, value } = this.#batch.next();
    if (done) return this.#nextBatch();
    this.#take(value);
    return undefined;
  }

  async #nextBatch(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#batches.next();
      if (done) {
        this.item = undefined;
        this.key = undefined;
        return;
      }
      this.#batch = value[Symbol.iterator]();
      const first = this.#batch.next();
      if (!first.done) return this.#take(first.value);
    }
  }

  #take(item: object): void {
    const key = this.#keyOf(item);
    if (this.key !== undefined && key <= this.key)
      throw new UnexpectedError(`the ${this.name} of an export are out of order`);
    this.item = item;
    this.key = key;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/**
 * Walks through streams that are sorted by key, side by side: one batch of each is in memory.
 *
 * @param keyOf of an item; keys of a stream are sorted and differ
 * @throws {UnexpectedError} fatal: a stream is not sorted
 */
export const mergeJoin = async function* <Streams extends Readonly<Record<string, object>>>(
  streams: { readonly [Name in keyof Streams]: Batches<Streams[Name]> },
  keyOf: { readonly [Name in keyof Streams]: (item: Streams[Name]) => string },
): AsyncGenerator<Joined<Streams>, void> {
  const heads = Object.entries<Batches<object>>(streams).map(
    ([name, stream]) =>
      new Head(name, stream[Symbol.asyncIterator](), keyOf[name as keyof Streams] as (item: object) => string),
  );
  try {
    await Promise.all(heads.map((head) => head.next()));
    for (;;) {
      let key: string | undefined;
      for (const head of heads) if (head.key !== undefined && (key === undefined || head.key < key)) key = head.key;
      if (key === undefined) return;
      const found: Record<string, unknown> = { key };
      for (const head of heads) if (head.key === key) found[head.name] = head.item;
      yield found as Joined<Streams>;
      for (const head of heads) {
        const waiting = head.key === key ? head.next() : undefined;
        if (waiting) await waiting;
      }
    }
  } finally {
    await Promise.all(heads.map((head) => head.close()));
  }
};
