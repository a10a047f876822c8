import { access } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";

const names = ["openemr-ops.config.json", "openemr-ops.config.ts"] as const;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * The configuration in a directory, by its usual names.
 *
 * @throws {InvalidInputError} fatal: there is none, or both
 */
export const findConfig = async (directory: string): Promise<string> => {
  const paths = names.map((name) => join(directory, name));
  const present = await Promise.all(paths.map(exists));
  const [path, second] = paths.filter((_, index) => present[index]);
  if (path !== undefined && second === undefined) return path;
  const message = path
    ? `is missing, and both ${names.join(" and ")} are in ${directory}; choose one`
    : `is missing, and neither ${names.join(" nor ")} is in ${directory}`;
  throw new InvalidInputError([{ path: "--config", message }]);
};
