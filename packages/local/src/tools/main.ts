import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exitCodeOf, InvalidInputError, toOpsError } from "@openemr-ops/core/errors";
import { announce } from "./announce.ts";
import { assertCanInstall } from "./apt.ts";
import { debianPlace } from "./debianPackages.ts";
import { findSystemTool, ownToolsDirectory } from "./findTool.ts";
import { goLogOf } from "./go.ts";
import { install, withGround } from "./install.ts";
import { type Purpose, planInstall, purposes } from "./needs.ts";
import { ownHas } from "./ownTools.ts";

const purposeOf = (args: readonly string[]): Purpose => {
  const [flag, value, ...rest] = args;
  const purpose = purposes.find((known) => known === value);
  if (flag !== "--for" || purpose === undefined || rest.length > 0) {
    throw new InvalidInputError([{ path: "", message: `expected: npm run tools -- --for ${purposes.join("|")}` }]);
  }
  return purpose;
};

const say = (line: string): void => void process.stderr.write(`tools: ${line}\n`);

const systemHas = (program: string, module?: string): boolean => {
  const path = findSystemTool(program);
  if (path === undefined || module === undefined) return path !== undefined;
  return spawnSync(path, ["-m"], { encoding: "utf8" }).stdout.split("\n").includes(module);
};

/** As a shell counts it: 128 and the number of SIGINT. */
const stoppedCode = 130;

/** `npm run tools -- --for PURPOSE` (see `needs.ts`): installs what is missing and says nothing when nothing is. */
const main = async (args: readonly string[], signal: AbortSignal): Promise<void> => {
  const own = process.env.OPENEMR_OPS_TOOLS;
  const plan = withGround(
    planInstall(purposeOf(args), {
      systemHas,
      isUnpacked: (packages) => existsSync(debianPlace(packages)),
      ownHas: (program) => ownHas(program) || (own !== undefined && existsSync(join(own, program))),
    }),
  );
  assertCanInstall(plan.apt);
  const log = join(ownToolsDirectory, "install.log");
  const lines = announce(plan, log);
  if (lines.length === 0) return;
  for (const line of lines) say(line);
  for (const old of [log, goLogOf(log)]) rmSync(old, { force: true });
  const begun = performance.now();
  await install(plan, { say, log, signal });
  say(`ready, after ${Math.round((performance.now() - begun) / 1000)} s`);
};

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (!stopping.signal.aborted) say("stopping, as soon as nothing is left half made");
    stopping.abort();
  });
try {
  await main(process.argv.slice(2), stopping.signal);
} catch (error) {
  const named = toOpsError(error);
  if (stopping.signal.aborted) say("stopped; run the same again to go on");
  else say(`${named.name}: ${named.message}`);
  process.exitCode = stopping.signal.aborted ? stoppedCode : exitCodeOf(named);
}
