import type { Place } from "./program.ts";
import { dumpContext } from "./programs/dumpContext.ts";

/**
 * Stores a report's page beside the dumps of the installation, as `reports/<installation>/<day>.html`. A second one of a
 * day, by UTC, replaces the first. Nothing deletes them.
 *
 * @returns where it is
 * @throws {ResidencyError} refused: the store is where data of this installation may not go
 * @throws the `Destination…Error` family
 */
export const storeReport = async (place: Place, page: string): Promise<string> => {
  const { destination, assertPlace } = await dumpContext(place);
  await assertPlace?.();
  const key = `reports/${place.installation.id}/${place.now().toISOString().slice(0, 10)}.html`;
  await destination.put(key, Buffer.from(page));
  return `${destination.url}/${key}`;
};
