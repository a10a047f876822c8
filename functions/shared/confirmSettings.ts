import { parseStrictly, strict } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import * as z from "zod";
import { type DeployedDestination, readDeployedDestination, readDeployedDestinations } from "./deployedDestination.ts";
import { type Environment, readVariable } from "./environment.ts";

const settings = strict({
  installation: z.string(),
  format: z.enum(["restic", "portable"], { error: "expected restic or portable" }),
});

/** The installation whose dumps a function checks, and their destination. */
export type ConfirmSettings = z.output<typeof settings> & DeployedDestination;

const readOwner = (environment: Environment): z.output<typeof settings> => {
  const parsed = parseStrictly(settings, {
    installation: readVariable(environment, "OPENEMR_OPS_INSTALLATION"),
    format: readVariable(environment, "OPENEMR_OPS_FORMAT"),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return parsed.data;
};

/** @throws {InvalidInputError} fatal: names the variable, or the field in it */
export const readConfirmSettings = (environment: Environment): ConfirmSettings => {
  const destination = readVariable(environment, "OPENEMR_OPS_DESTINATION");
  return { ...readOwner(environment), ...readDeployedDestination(destination, environment) };
};

/** The same for the copies of the dumps. @throws {InvalidInputError} fatal: names the variable, or the field in it */
export const readCopySettings = (environment: Environment) => ({
  ...readOwner(environment),
  copies: readDeployedDestinations(readVariable(environment, "OPENEMR_OPS_COPIES")),
});
