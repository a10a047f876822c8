import { access } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@openemr-ops/core/errors";

/** Where a machine has its configuration, whatever the working directory is. */
export const machineConfigDirectory = "/etc/openemr-ops";

const names = ["openemr-ops.config.json", "openemr-ops.config.ts"] as const;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @throws {InvalidInputError} fatal: the directory has several */
const findIn = async (directory: string, names: readonly string[]): Promise<string | undefined> => {
  const paths = names.map((name) => join(directory, name));
  const present = await Promise.all(paths.map(exists));
  const found = paths.filter((_, index) => present[index]);
  if (found.length <= 1) return found[0];
  throw new InvalidInputError([
    { path: "--config", message: `is missing, and ${found.join(" and ")} are both there; choose one` },
  ]);
};

/**
 * The configuration in the working directory by its usual names, else the machine's, which may also be called `config.json`.
 *
 * @param machine the machine's directory of configurations; not set, only the working directory is looked at
 * @throws {InvalidInputError} fatal: there is none, or one directory has several
 */
export const findConfig = async (cwd: string, machine: string | undefined): Promise<string> => {
  const path =
    (await findIn(cwd, names)) ??
    (machine === undefined ? undefined : await findIn(machine, ["config.json", ...names]));
  if (path !== undefined) return path;
  const elsewhere = machine === undefined ? "" : `, and there is no ${join(machine, "config.json")}`;
  const message = `is missing, and neither ${names.join(" nor ")} is in ${cwd}${elsewhere}`;
  throw new InvalidInputError([{ path: "--config", message }]);
};
