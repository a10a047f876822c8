import { InvalidInputError } from "@openemr-ops/core/errors";

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws {InvalidInputError} fatal: the variable is not set; a function without it must not start */
export const readVariable = (environment: Environment, name: string): string => {
  const value = environment[name];
  if (value) return value;
  throw new InvalidInputError([{ path: name, message: "is not set; deploy this function again" }]);
};

/** The stage that a function belongs to, from which the names of all it works on follow. */
export const readStage = (environment: Environment): string => readVariable(environment, "OPENEMR_OPS_STAGE");
