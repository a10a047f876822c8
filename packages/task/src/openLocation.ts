import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import {
  type CredentialFiles,
  directoryLocation,
  googleLocation,
  type ResticLocation,
  s3Location,
} from "@openemr-ops/dumps/store/resticLocation";
import { googleKeyFiles } from "./googleKeyFiles.ts";
import { openGoogle } from "./openDestination.ts";
import { keysOf, type OwnCredentials } from "./ownCredentials.ts";

const filesFor = async (credentials: OwnCredentials): Promise<CredentialFiles> => {
  const { googleFiles } = await import("@openemr-ops/gcp/googleCredentials");
  return googleKeyFiles(googleFiles(...(await openGoogle(credentials))));
};

/** Translates a destination for restic, which reaches it as our own client does. AWS's SDK is loaded only for a bucket of S3. */
export const openLocation = (
  address: DestinationAddress,
  environment: Readonly<Record<string, string | undefined>>,
  credentials?: OwnCredentials,
): ResticLocation => {
  switch (address.kind) {
    case "file":
      return directoryLocation(address);
    case "gcs":
      return googleLocation(address, environment, credentials && (() => filesFor(credentials)));
    case "s3": {
      const opened = import("@openemr-ops/aws/s3Access").then(({ s3Access }) =>
        s3Access({ ...address, readKeys: keysOf(credentials) }, environment),
      );
      return s3Location(address, async () => (await opened)(), environment);
    }
  }
};
