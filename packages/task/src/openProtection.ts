import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import type { ObserveProtection } from "@openemr-ops/core/immutability";
import { type DestinationSurroundings, googleSettings } from "./openDestination.ts";
import { keysOf } from "./ownCredentials.ts";

/** What tries a store's protection under these credentials; `undefined` for a directory, which has none. */
export const openProtection = async (
  address: DestinationAddress,
  { environment = process.env, credentials }: DestinationSurroundings,
): Promise<ObserveProtection | undefined> => {
  switch (address.kind) {
    case "file":
      return undefined;
    case "s3": {
      const { s3Protection } = await import("@openemr-ops/aws/s3Protection");
      return s3Protection({ ...address, readKeys: keysOf(credentials) }, environment);
    }
    case "gcs": {
      const { gcsProtection } = await import("@openemr-ops/gcp/gcsProtection");
      return gcsProtection(await googleSettings(address, credentials));
    }
  }
};
