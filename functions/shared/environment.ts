import { InvalidInputError } from "@openemr-ops/core/errors";

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {InvalidInputError} fatal: the variable is not set; a function without it must not start */
export const readVariable = (environment: Environment, name: string): string => {
  const value = environment[name];
  if (value) return value;
  throw new InvalidInputError([{ path: name, message: "is not set; deploy this function again" }]);
};

/** The installations of the configuration that was deployed last: those whose schedules start jobs. */
export const readConfigured = (environment: Environment): ReadonlySet<string> =>
  new Set(readVariable(environment, "OPENEMR_OPS_INSTALLATIONS").split(","));

/** The stage of a function. The names of all its resources derive from it. */
export const readStage = (environment: Environment): string => readVariable(environment, "OPENEMR_OPS_STAGE");
