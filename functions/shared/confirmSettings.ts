import { parseJson } from "@openemr-ops/core/config/jsonText";
import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import * as z from "zod";
import { type Environment, readVariable } from "./environment.ts";

const settings = strict({
  installation: z.string(),
  format: z.enum(["restic", "portable"], { error: "expected restic or portable" }),
  destination: strict({
    kind: z.literal("s3", { error: "expected s3, where a deployed installation keeps its dumps" }),
    bucket: z.string({ error: "expected a bucket's name" }),
    prefix: z.string({ error: "expected a prefix, empty for the bucket's root" }),
    endpoint: z.string().optional(),
    region: z.string().optional(),
    pathStyle: z.boolean({ error: "expected true or false" }),
  }),
});

/** The installation whose dumps a function checks, and their destination. */
export type ConfirmSettings = z.output<typeof settings>;

/** @throws {InvalidInputError} fatal: names the variable, or the field in it */
export const readConfirmSettings = (environment: Environment): ConfirmSettings => {
  const parsed = parseStrictly(settings, {
    installation: readVariable(environment, "OPENEMR_OPS_INSTALLATION"),
    format: readVariable(environment, "OPENEMR_OPS_FORMAT"),
    destination: parseJson(readVariable(environment, "OPENEMR_OPS_DESTINATION")),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};
