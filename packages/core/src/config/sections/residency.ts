import * as field from "../fields.ts";
import { strict } from "../strict.ts";

/** Where data may be stored. A kind of store without a list is not allowed; a directory of this machine always is. */
export const residency = strict({
  awsRegions: field.someOf(field.awsRegionName, "regions of AWS").optional(),
  gcsLocations: field.someOf(field.gcsLocation, "locations of Google Cloud Storage").optional(),
  endpoints: field.someOf(field.endpoint, "servers' addresses").optional(),
}).refine((lists) => Object.values(lists).some((list) => list !== undefined), {
  error: "allows no place; set at least one of awsRegions, gcsLocations, endpoints",
});
