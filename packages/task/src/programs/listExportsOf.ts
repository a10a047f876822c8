import { type ListedExport, listExports } from "@openemr-ops/exports/listExports";
import { openStores } from "../openStores.ts";
import type { Place } from "../program.ts";
import { exportContext } from "./exportContext.ts";

/** Exports of an installation, newest first. */
export const listExportsOf = async (place: Place): Promise<readonly ListedExport[]> => {
  const { installation, destination } = await exportContext(place);
  const { jobs, locks } = await openStores(place);
  return listExports({
    installation,
    destination,
    jobs: place.history ?? jobs,
    holder: (resource) => locks.holder({ installation, resource }),
  });
};
