import { createRequire } from "node:module";

interface Answer {
  readonly isValid: boolean;
  readonly errors: readonly unknown[];
}

/** The package has no types. */
const require = createRequire(import.meta.url);
const validate: (definition: unknown) => Answer = require("asl-validator");

/** What asl-validator has against a definition in the States Language; nothing when it is sound. */
export const aslErrors = (definition: unknown): readonly string[] => {
  const { isValid, errors } = validate(structuredClone(definition)); // it writes into what it reads
  return isValid ? [] : ["not valid", ...errors.map((error) => JSON.stringify(error))];
};
