import type { Destination } from "@openemr-ops/core/destination";
import { OpsError } from "@openemr-ops/core/errors";
import { sitesFolder } from "./inventory/parquet.ts";

/** The same failure without the key, and without the cause, which may have it too: a file's name can be a patient's. */
const withoutKey = (error: unknown, key: string): unknown => {
  if (!(error instanceof OpsError) || !key.startsWith(sitesFolder)) return error;
  const quiet = new Error(error.message.replaceAll(key, "a file of the sites tree"));
  Object.setPrototypeOf(quiet, Object.getPrototypeOf(error)); // its class, and with it what a caller does about it
  return Object.assign(quiet, { ...error });
};

/** A destination whose failures do not name files of the sites tree. */
export const quietDestination = (destination: Destination): Destination => {
  const quiet = <Result>(key: string, work: Promise<Result>): Promise<Result> =>
    work.catch((error: unknown) => {
      throw withoutKey(error, key);
    });
  return {
    url: destination.url,
    put: (key, body, source) => quiet(key, destination.put(key, body, source)),
    get: (key, range) => quiet(key, destination.get(key, range)),
    describe: (key) => quiet(key, destination.describe(key)),
    list: (prefix) => destination.list(prefix),
    listPages: (prefix, marks) => destination.listPages(prefix, marks),
    delete: (key) => quiet(key, destination.delete(key)),
  };
};
