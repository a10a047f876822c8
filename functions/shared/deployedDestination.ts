import { strict } from "@openemr-ops/core/config/strict";
import * as z from "zod";

/** Where a deployed installation keeps its dumps, as a function's environment says it in JSON. */
export const deployedDestination = strict({
  kind: z.literal("s3", { error: "expected s3, where a deployed installation keeps its dumps" }),
  bucket: z.string({ error: "expected a bucket's name" }),
  prefix: z.string({ error: "expected a prefix, empty for the bucket's root" }),
  endpoint: z.string().optional(),
  region: z.string().optional(),
  pathStyle: z.boolean({ error: "expected true or false" }),
});
