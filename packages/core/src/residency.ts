import { endpointOrigin } from "./config/destinationAddress.ts";
import { ResidencyError } from "./errors.ts";

/** Where the data of an installation may be stored. A kind of store that is not named here is not allowed. */
export interface Residency {
  readonly awsRegions?: readonly string[];
  /** Google's names of regions, dual-regions and multi-regions; case does not count. */
  readonly gcsLocations?: readonly string[];
  /** Servers with the S3 API. */
  readonly endpoints?: readonly string[];
}

/** Where a store is, as it answers itself. */
export type StoreLocation =
  | { readonly kind: "aws"; readonly region: string }
  /** Scheme, name and port of a server; nobody but its owner knows where its disks are. */
  | { readonly kind: "endpoint"; readonly server: string }
  /** `parts`: the regions of a dual-region that somebody chose. */
  | { readonly kind: "gcs"; readonly location: string; readonly parts?: readonly string[] };

const lower = (names: readonly string[] = []): readonly string[] => names.map((name) => name.toLowerCase());

/** What the configuration allows of this kind, and what the store answered. */
const compare = (location: StoreLocation, residency: Residency) => {
  switch (location.kind) {
    case "aws": {
      const { awsRegions = [] } = residency;
      return { field: "awsRegions", is: location.region, allowed: awsRegions.includes(location.region) };
    }
    case "endpoint": {
      const servers = (residency.endpoints ?? []).map(endpointOrigin);
      return { field: "endpoints", is: location.server, allowed: servers.includes(endpointOrigin(location.server)) };
    }
    case "gcs": {
      const allowed = lower(residency.gcsLocations);
      const parts = lower(location.parts);
      const within = parts.length > 0 && parts.every((part) => allowed.includes(part));
      const is = [location.location, ...(location.parts ?? [])].join(", ");
      return { field: "gcsLocations", is, allowed: within || allowed.includes(location.location.toLowerCase()) };
    }
  }
};

/**
 * Refuses a store in a place where the data may not go.
 *
 * @param url for the message
 * @throws {ResidencyError} refused
 */
export const assertResidency = (url: string, location: StoreLocation, residency: Residency): void => {
  const { field, is, allowed } = compare(location, residency);
  if (allowed) return;
  throw new ResidencyError(
    `${url} is in ${is}, which residency.${field} does not allow; nothing was written: choose another destination, or allow this place`,
    { field: "residency" },
  );
};
