import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import * as z from "zod";
import { type DeployedDestination, readDeployedDestination } from "./deployedDestination.ts";
import { type Environment, readVariable } from "./environment.ts";

const settings = strict({
  installation: z.string(),
  format: z.enum(["restic", "portable"], { error: "expected restic or portable" }),
});

/** The installation whose dumps a function checks, and their destination. */
export type ConfirmSettings = z.output<typeof settings> & DeployedDestination;

/** @throws {InvalidInputError} fatal: names the variable, or the field in it */
export const readConfirmSettings = (environment: Environment): ConfirmSettings => {
  const parsed = parseStrictly(settings, {
    installation: readVariable(environment, "OPENEMR_OPS_INSTALLATION"),
    format: readVariable(environment, "OPENEMR_OPS_FORMAT"),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  const destination = readVariable(environment, "OPENEMR_OPS_DESTINATION");
  return { ...parsed.data, ...readDeployedDestination(destination, environment) };
};
