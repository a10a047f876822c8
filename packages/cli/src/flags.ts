import { InvalidInputError, type OpsError } from "@openemr-ops/core/errors";
import type { CliCommand } from "./defineCommand.ts";
import { flagOf } from "./options.ts";

/** A command's failure as its user reads it: where a domain names a field of its input, with the option that sets it. */
export const withFlags = (error: OpsError, { options }: CliCommand): OpsError => {
  const byField = new Map(Object.entries(options).map(([field, option]) => [field, flagOf(option)]));
  if (error instanceof InvalidInputError) {
    const issues = error.issues.map(({ path, message }) => ({ path: byField.get(path) ?? path, message }));
    return new InvalidInputError(issues, { cause: error });
  }
  const flag = byField.get(error.field ?? "");
  return flag === undefined ? error : Object.create(error, { message: { value: `${error.message} (${flag})` } });
};
