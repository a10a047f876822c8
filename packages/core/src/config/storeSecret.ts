import { InvalidInputError } from "../errors.ts";
import { type GoogleCredentials, parseStoreCredentials, type StoreKeys } from "../storeCredentials.ts";

const parse = (field: string, text: string) => {
  const refuse = (message: string): never => {
    throw new InvalidInputError([{ path: field, message: `the secret ${message}` }]);
  };
  const parsed = parseStoreCredentials(text);
  return { refuse, found: "problem" in parsed ? refuse(parsed.problem) : parsed.credentials };
};

/**
 * The keys of a store with the S3 API, from what a secret contains.
 *
 * @param field the setting that names the secret
 * @throws {InvalidInputError} fatal: the secret contains something else
 */
export const storeKeysIn = (field: string, text: string): StoreKeys => {
  const { refuse, found } = parse(field, text);
  return found.kind === "s3" ? found.keys : refuse("contains credentials of Google, and the destination is s3://");
};

/** The same for what Google gave. */
export const googleCredentialsIn = (field: string, text: string): GoogleCredentials => {
  const { refuse, found } = parse(field, text);
  return found.kind === "gcs" ? found.google : refuse("contains keys of the S3 API, and the destination is gs://");
};
