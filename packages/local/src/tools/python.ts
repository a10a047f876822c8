import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool } from "./findTool.ts";
import { type Installing, run } from "./run.ts";

/** Whether Python is here with what makes a venv; on Debian that is a package of its own. */
export const systemMakesVenvs = (): boolean => {
  const python = findSystemTool("python3");
  return python !== undefined && spawnSync(python, ["-c", "import ensurepip, venv"]).status === 0;
};

/**
 * Makes a venv that holds what the file of requirements pins, by version and digest. Nothing is compiled. A venv cannot
 * be moved, so it is made in place, and removed again when that fails.
 */
export const makeVenv = async (directory: string, requirements: string, installing: Installing): Promise<void> => {
  const python = findSystemTool("python3");
  if (python === undefined) throw new ToolMissingError("install Python 3 (Debian: apt-get install python3-venv)");
  rmSync(directory, { recursive: true, force: true });
  try {
    await run(installing, python, ["-m", "venv", directory]);
    const args = ["--disable-pip-version-check", "--require-hashes", "--only-binary=:all:", "--requirement"];
    await run(installing, join(directory, "bin/pip"), ["install", ...args, requirements]);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
};

/**
 * Gives the venv's Python a name of its own in `.tools/bin`. A link does not do: started by a link from elsewhere, Python
 * does not find its venv.
 */
export const namePython = (directory: string, name: string): void =>
  writeFileSync(join(directory, name), '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" "$@"\n', {
    mode: 0o755,
  });
