import type { StoredObject } from "./destination.ts";

/** The objects of a listing one by one. */
export const eachObject = async function* (
  pages: AsyncIterable<readonly StoredObject[]>,
): AsyncGenerator<StoredObject, void> {
  for await (const page of pages) yield* page;
};
