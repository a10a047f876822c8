import { join } from "node:path";
import { fileJobs } from "@openemr-ops/files/fileJobs";
import { fileLocks } from "@openemr-ops/files/fileLocks";
import type { Place } from "./program.ts";
import { realSites } from "./realPlaces.ts";

/**
 * Records and locks in the state directory.
 *
 * @throws {InvalidInputError} fatal: that directory is inside what a dump contains; nothing was written
 */
export const openStores = async ({
  config,
  installation,
  now,
  warn,
}: Pick<Place, "config" | "installation" | "now" | "warn">) => {
  await realSites(config, installation);
  const settings = (directory: string) => ({ directory: join(config.stateDirectory, directory), now, warn });
  return { jobs: fileJobs(settings("jobs")), locks: fileLocks(settings("locks")) };
};
