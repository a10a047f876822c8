import { stat } from "node:fs/promises";
import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { DestinationMissingError } from "@openemr-ops/core/errors";
import { nearestExisting } from "@openemr-ops/files/directory";

/** The device of a directory, or of the nearest one above it that is there. */
const deviceOf = async (path: string): Promise<number> => (await stat(await nearestExisting(path))).dev;

/**
 * A disk that is not mounted is an empty directory, or none, of the root file system: a copy there would fill it and protect
 * nothing.
 *
 * @throws {DestinationMissingError} the directory is, or would be made, on the root file system
 */
export const assertMounted = async (address: DestinationAddress): Promise<void> => {
  if (address.kind !== "file" || (await deviceOf(address.directory)) !== (await deviceOf("/"))) return;
  throw new DestinationMissingError(
    `${address.directory} is on the root file system of this machine: mount the disk that the copy is for. To copy there anyway, set forceNewRepository`,
    { field: "forceNewRepository" },
  );
};
