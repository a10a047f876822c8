import { ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool } from "./findTool.ts";
import { type Installing, run } from "./run.ts";

/** The commands that a user without root rights types to install these packages. */
export const aptCommands = (packages: readonly string[]): readonly string[] => [
  "sudo apt-get update",
  `sudo apt-get install --no-install-recommends ${packages.join(" ")}`,
];

/** @throws {ToolMissingError} refused: not root, or no apt-get here; the message holds what to type */
export const assertCanInstall = (packages: readonly string[]): void => {
  if (packages.length === 0) return;
  if (findSystemTool("apt-get") === undefined)
    throw new ToolMissingError(
      `there is no apt-get here: install what these packages of Debian hold with your system's package manager, then run this again: ${packages.join(", ")}`,
    );
  if (process.getuid?.() !== 0)
    throw new ToolMissingError(`install what is missing, then run this again: ${aptCommands(packages).join(" && ")}`);
};

/** Fetches first, which can be stopped at any time; unpacks then, which is not stopped half-way. */
export const installPackages = async (packages: readonly string[], installing: Installing): Promise<void> => {
  assertCanInstall(packages);
  // RUNLEVEL=1: packages must not start services; the project starts servers of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const apt = (args: readonly string[], whole = false) =>
    run(installing, "apt-get", ["-q", "-y", "-o", "DPkg::Lock::Timeout=120", ...args], { env, whole });
  await apt(["update"]);
  const install = ["install", "--no-install-recommends", ...packages];
  await apt(["--download-only", ...install]);
  await apt(install, true);
};
