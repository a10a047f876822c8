import { UnexpectedError } from "@openemr-ops/core/errors";

/** What several streams have of one key. */
export type Joined<Streams extends Readonly<Record<string, object>>> = { readonly key: string } & {
  readonly [Name in keyof Streams]?: Streams[Name];
};

/** The items of a stream, some at a time: a wait for each of millions adds up. */
export type Batches<Item> = AsyncIterable<readonly Item[]>;

/** Where one stream stands. */
class Head {
  readonly name: string;
  readonly #batches: AsyncIterator<readonly object[]>;
  readonly #keyOf: (item: object) => string;
  #batch: readonly object[] = [];
  #index = 0;
  item: object | undefined;
  key: string | undefined;

  constructor(name: string, batches: AsyncIterator<readonly object[]>, keyOf: (item: object) => string) {
    this.name = name;
    this.#batches = batches;
    this.#keyOf = keyOf;
  }

  /** Goes on to the next item. @returns set where it has to be waited for */
  next(): Promise<void> | undefined {
    const item = this.#batch[this.#index];
    if (!item) {
      const waiting = this.#nextBatch();
      waiting.catch(() => undefined); // whoever waits for it reports the failure, unless another stream has failed first
      return waiting;
    }
    this.#index += 1;
    const key = this.#keyOf(item);
    if (this.key !== undefined && key <= this.key)
      throw new UnexpectedError(`the ${this.name} of an export are out of order`);
    this.item = item;
    this.key = key;
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
      this.#batch = value;
      this.#index = 0;
      if (value.length > 0) return void this.next();
    }
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/** Keys that are given together. */
const inBatch = 256;

/**
 * Takes the next keys of all heads, until the batch is full or a head has to be waited for.
 *
 * @param batch takes what was found; each as `none`, which has every name
 * @returns set where heads have to be waited for; `undefined` with a batch that is not full: there is nothing more
 */
const join = (heads: readonly Head[], batch: object[], none: object): Promise<unknown> | undefined => {
  while (batch.length < inBatch) {
    let key: string | undefined;
    for (const head of heads) if (head.key !== undefined && (key === undefined || head.key < key)) key = head.key;
    if (key === undefined) return undefined;
    const found: Record<string, unknown> = { ...none, key };
    batch.push(found);
    let waiting: Promise<unknown> | undefined;
    for (const head of heads)
      if (head.key === key) {
        found[head.name] = head.item;
        const next = head.next();
        if (next) waiting = waiting ? Promise.all([waiting, next]) : next;
      }
    if (waiting) return waiting;
  }
  return undefined;
};

/**
 * Walks through streams that are sorted by key, side by side: one batch of each is in memory.
 *
 * @param keyOf of an item; keys of a stream are sorted and differ
 * @returns what the streams have of each key, some keys at a time
 * @throws {UnexpectedError} fatal: a stream is not sorted
 */
export const mergeJoin = async function* <Streams extends Readonly<Record<string, object>>>(
  streams: { readonly [Name in keyof Streams]: Batches<Streams[Name]> },
  keyOf: { readonly [Name in keyof Streams]: (item: Streams[Name]) => string },
): AsyncGenerator<readonly Joined<Streams>[], void> {
  const heads = Object.entries<Batches<object>>(streams).map(
    ([name, stream]) =>
      new Head(name, stream[Symbol.asyncIterator](), keyOf[name as keyof Streams] as (item: object) => string),
  );
  const none = Object.fromEntries(["key", ...heads.map(({ name }) => name)].map((name) => [name, undefined]));
  try {
    await Promise.all(heads.map((head) => head.next()));
    let batch: Joined<Streams>[] = [];
    for (;;) {
      const waiting = join(heads, batch, none);
      if (waiting) await waiting;
      else if (batch.length === 0) return;
      else {
        yield batch;
        batch = [];
      }
    }
  } finally {
    await Promise.all(heads.map((head) => head.close()));
  }
};
