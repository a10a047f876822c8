import { type DestinationAddress, formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { assertResidency, type Residency, type StoreLocation } from "@openemr-ops/core/residency";
import { type DestinationSurroundings, googleSettings } from "./openDestination.ts";
import { keysOf } from "./ownCredentials.ts";

const placeOf = async (
  address: DestinationAddress,
  { environment = process.env, credentials }: DestinationSurroundings,
): Promise<StoreLocation | undefined> => {
  switch (address.kind) {
    case "file":
      return undefined;
    case "s3": {
      const { bucketPlace } = await import("@openemr-ops/aws/bucketPlace");
      return bucketPlace({ ...address, readKeys: keysOf(credentials) }, environment);
    }
    case "gcs": {
      const { gcsPlace } = await import("@openemr-ops/gcp/gcsDestination");
      return gcsPlace(await googleSettings(address, credentials));
    }
  }
};

/** Asks a store where it is, and refuses a place where data may not go; `undefined` where the configuration allows all. */
export const allowedPlace = (
  address: DestinationAddress,
  residency: Residency | undefined,
  surroundings: DestinationSurroundings,
): (() => Promise<void>) | undefined =>
  residency &&
  (async () => {
    const location = await placeOf(address, surroundings);
    if (location) assertResidency(formatDestination(address), location, residency);
  });
