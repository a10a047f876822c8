import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import type { Destination } from "@openemr-ops/core/destination";
import { fileDestination } from "@openemr-ops/files/fileDestination";

/** Opens the destination of a checked configuration. A cloud's SDK is loaded only when its scheme is used. */
export const openDestination = async (
  address: DestinationAddress,
  {
    warn,
    environment = process.env,
  }: {
    readonly warn?: (message: string) => void;
    readonly environment?: Readonly<Record<string, string | undefined>>;
  } = {},
): Promise<Destination> => {
  switch (address.kind) {
    case "file":
      return fileDestination(address.directory, warn ? { warn } : {});
    case "s3": {
      const { s3Destination } = await import("@openemr-ops/aws/s3Destination");
      return s3Destination(address, environment);
    }
    case "gcs": {
      const { gcsDestination } = await import("@openemr-ops/gcp/gcsDestination");
      return gcsDestination(address);
    }
  }
};
