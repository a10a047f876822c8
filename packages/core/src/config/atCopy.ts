import { InvalidInputError } from "../errors.ts";
import type { CopySettings, DumpSettings, InstallationWith } from "./settings.ts";

/** The settings of dumps as they are at a copy: its own place, credentials and retention, and all else as at the first. */
const dumpsAt = (
  { credentials: _, retentionCredentials: __, immutability: ___, ...dumps }: DumpSettings,
  { password, ...copy }: CopySettings,
): DumpSettings => {
  const here = { retention: dumps.retention, ...copy, copies: [] };
  return dumps.format === "restic"
    ? { ...dumps, ...here, password: password ?? dumps.password }
    : { ...dumps, ...here };
};

/**
 * The same installation with a copy as the destination of its dumps, so that whatever works with dumps works with those of the
 * copy. `copy`: its number in the configuration, from 1; not set, the first destination.
 *
 * @throws {InvalidInputError} fatal: there is no such copy
 */
export const atCopy = (
  installation: InstallationWith<"dumps">,
  copy: number | undefined,
): InstallationWith<"dumps"> => {
  if (copy === undefined) return installation;
  const { copies } = installation.dumps;
  const found = copies[copy - 1];
  if (found) return { ...installation, dumps: dumpsAt(installation.dumps, found) };
  const there = copies.length === 0 ? "no copies" : `${copies.length}`;
  throw new InvalidInputError([
    { path: "copy", message: `there is no copy ${copy}; dumps.copies of ${installation.id} lists ${there}` },
  ]);
};
