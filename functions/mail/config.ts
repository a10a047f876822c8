import { parseJson } from "@openemr-ops/core/config/jsonText";
import { mail } from "@openemr-ops/core/config/sections/mail";
import { parseStrictly } from "@openemr-ops/core/config/strict";
import { InvalidInputError } from "@openemr-ops/core/errors";
import { type Environment, readStage, readVariable } from "../shared/environment.ts";

/** @throws {InvalidInputError} fatal: a variable is absent or wrong; the function must not start */
export const readMailConfig = (environment: Environment) => {
  const parsed = parseStrictly(mail.schema, {
    inbound: parseJson(readVariable(environment, "OPENEMR_OPS_INBOUND_MAIL")),
  });
  if ("issues" in parsed) throw new InvalidInputError(parsed.issues);
  return {
    stage: readStage(environment),
    installation: readVariable(environment, "OPENEMR_OPS_INSTALLATION"),
    inbound: parsed.data.inbound,
    /** Address of the queue for messages that are tried again. */
    waiting: readVariable(environment, "OPENEMR_OPS_WAITING_QUEUE"),
    /** Address of the queue for messages that a person has to look at. */
    undelivered: readVariable(environment, "OPENEMR_OPS_UNDELIVERED_QUEUE"),
  };
};
