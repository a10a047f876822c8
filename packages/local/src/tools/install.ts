import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { toOpsError } from "@openemr-ops/core/errors";
import { installPackages } from "./apt.ts";
import { type DebianPackages, keyring, unpackDebianPackages } from "./debianPackages.ts";
import { ownToolsDirectory, pins } from "./findTool.ts";
import { buildWithGo, goFor, goLogOf, systemGo } from "./go.ts";
import { fetchJars } from "./jars.ts";
import { type InstallPlan, type Need, needs, type Venv, venvs } from "./needs.ts";
import { goPlace, parquetJavaPlace, publish, venvPlace } from "./ownTools.ts";
import { makeVenv, namePython, systemMakesVenvs } from "./python.ts";
import type { Installing } from "./run.ts";

const buildAll = async (tools: readonly Need[], installing: Installing): Promise<void> => {
  const sources = tools.flatMap(({ from }) => ("go" in from ? [from.go] : []));
  const place = goPlace();
  mkdirSync(place, { recursive: true });
  const scratch = mkdtempSync(join(ownToolsDirectory, "building-"));
  try {
    const go = await goFor(scratch, installing);
    const programs = tools.map(({ program }) => program);
    installing.say(`building ${programs.join(" ")}`);
    await buildWithGo(go, sources, scratch, installing);
    for (const program of programs) {
      renameSync(join(scratch, program), join(place, program));
      publish(join(place, program));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

/** All of a venv at once, whichever was asked for: one needs the other's packages, and nothing has to be fetched again later. */
const fetchFromPyPi = async (venv: Venv, installing: Installing): Promise<void> => {
  const place = venvPlace(venv);
  installing.say(`fetching from PyPI: ${venv}`);
  await makeVenv(place, pins[venv], installing);
  if (venv !== "python") namePython(join(place, "bin"), `${venv}-python`);
  for (const { program, from } of needs) if ("pip" in from && from.venv === venv) publish(join(place, "bin", program));
};

/** Another Debian changes daily and may lack a package for a while: what runs without it says so, and nothing stops here. */
const unpackAll = async (wanted: readonly DebianPackages[], installing: Installing): Promise<void> => {
  for (const packages of wanted) {
    installing.say(`unpacking ${packages.name}`);
    try {
      await unpackDebianPackages(packages, installing);
    } catch (error) {
      installing.signal.throwIfAborted();
      installing.say(`${packages.name} cannot be had now, and nothing is tested with it: ${toOpsError(error).message}`);
    }
  }
};

/**
 * The plan, with what its steps stand on and is not here: Python's venv module for Go from PyPI and for Python's tools,
 * Debian's keys for packages of another Debian.
 */
export const withGround = (plan: InstallPlan): InstallPlan => {
  const needsPython = plan.pip.length > 0 || (plan.go.length > 0 && systemGo() === undefined);
  const ground = [
    ...(needsPython && !systemMakesVenvs() ? ["python3-venv"] : []),
    ...(plan.debian.length > 0 && !existsSync(keyring) ? ["debian-archive-keyring"] : []),
  ];
  return ground.length > 0 ? { ...plan, apt: [...plan.apt, ...ground] } : plan;
};

/**
 * Carries the plan out; safe to repeat, each tool is put in place whole. Go computes while the rest waits for the network.
 *
 * @throws {ToolMissingError} refused: root rights or Python are needed; says what to type
 * @throws {ToolFailedError} fatal: an installer failed
 * @throws the signal's reason, when someone asked to stop; nothing is left half made
 */
export const install = async (plan: InstallPlan, installing: Installing): Promise<void> => {
  if (plan.apt.length > 0) {
    installing.say(`installing ${plan.apt.join(" ")}`);
    await installPackages(plan.apt, installing);
  }
  const build = async () => {
    if (plan.go.length > 0) await buildAll(plan.go, { ...installing, log: goLogOf(installing.log) });
  };
  const fetchAll = async () => {
    for (const venv of venvs)
      if (plan.pip.some(({ from }) => "pip" in from && from.venv === venv)) await fetchFromPyPi(venv, installing);
    for (const { program } of plan.jars) {
      installing.say(`fetching from Maven Central: ${program}`);
      await fetchJars(parquetJavaPlace(), program, pins.parquetJava, installing);
      publish(join(parquetJavaPlace(), program));
    }
    await unpackAll(plan.debian, installing);
  };
  const failed = (await Promise.allSettled([build(), fetchAll()])).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
};
