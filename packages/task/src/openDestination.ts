import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import { googleCredentialsIn } from "@openemr-ops/core/config/storeSecret";
import type { Destination } from "@openemr-ops/core/destination";
import { fileDestination } from "@openemr-ops/files/fileDestination";
import { keysOf, type OwnCredentials } from "./ownCredentials.ts";

export interface DestinationSurroundings {
  readonly warn?: (message: string) => void;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Not set: those that the environment leads to. */
  readonly credentials?: OwnCredentials | undefined;
}

/** The credentials for Google's client, and the role that they may name. */
export const openGoogle = async ({ reference, readSecret }: OwnCredentials) => {
  const { roleKeys } = await import("@openemr-ops/aws/roleKeys");
  return [googleCredentialsIn(reference.field, await readSecret(reference)), roleKeys()] as const;
};

/** What Google's client takes. */
export const googleSettings = async (
  address: Extract<DestinationAddress, { readonly kind: "gcs" }>,
  credentials: OwnCredentials | undefined,
) => {
  if (!credentials) return address;
  const { googleAuth } = await import("@openemr-ops/gcp/googleCredentials");
  return { ...address, authClient: googleAuth(...(await openGoogle(credentials))) };
};

/** Opens the destination of a checked configuration. A cloud's SDK is loaded only when its scheme is used. */
export const openDestination = async (
  address: DestinationAddress,
  { warn, environment = process.env, credentials }: DestinationSurroundings = {},
): Promise<Destination> => {
  switch (address.kind) {
    case "file":
      return fileDestination(address.directory, warn ? { warn } : {});
    case "s3": {
      const { s3Destination } = await import("@openemr-ops/aws/s3Destination");
      return s3Destination({ ...address, readKeys: keysOf(credentials) }, environment);
    }
    case "gcs": {
      const { gcsDestination } = await import("@openemr-ops/gcp/gcsDestination");
      return gcsDestination(await googleSettings(address, credentials));
    }
  }
};
