import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import {
  directoryLocation,
  googleLocation,
  type ResticLocation,
  s3Location,
} from "@openemr-ops/dumps/store/resticLocation";

/** Translates a destination for restic, which reaches it as our own client does. AWS's SDK is loaded only for a bucket of S3. */
export const openLocation = (
  address: DestinationAddress,
  environment: Readonly<Record<string, string | undefined>>,
): ResticLocation => {
  switch (address.kind) {
    case "file":
      return directoryLocation(address);
    case "gcs":
      return googleLocation(address, environment);
    case "s3": {
      const opened = import("@openemr-ops/aws/s3Access").then(({ s3Access }) => s3Access(address, environment));
      return s3Location(address, async () => (await opened)(), environment);
    }
  }
};
