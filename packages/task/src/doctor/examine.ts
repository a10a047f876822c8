import type { Installation } from "@openemr-ops/core/config/settings";
import type { Place } from "../program.ts";
import type { Check } from "./check.ts";
import { databaseChecks } from "./checks/databases.ts";
import { dumpPlanChecks } from "./checks/dumpPlan.ts";
import { loginChecks } from "./checks/logins.ts";
import { type CheckedConfig, machineChecks } from "./checks/machine.ts";
import { healthChecks } from "./checks/openEmr.ts";
import { sitesChecks } from "./checks/sites.ts";
import { spaceChecks } from "./checks/space.ts";
import { dumpStoreChecks, exportStoreCheck, secretChecks } from "./checks/stores.ts";
import { toolsChecks } from "./checks/tools.ts";
import type { Examined } from "./examined.ts";
import type { DoctorFinding } from "./finding.ts";
import { runChecks } from "./runChecks.ts";

/** All that the doctor looks at, and what it may do. */
export interface Examination extends Omit<Place, "config" | "installation"> {
  readonly config: CheckedConfig;
  readonly installations: readonly Installation[];
  /** Whether trial objects may be written at destinations; they are removed again. */
  readonly write: boolean;
}

const checksOf = (examined: Examined): readonly Check[] => {
  const { installation } = examined.place;
  const { dumps } = installation;
  const withDumps = dumps && { ...installation, dumps };
  return [
    ...toolsChecks(examined),
    ...sitesChecks(examined),
    ...loginChecks(examined),
    ...databaseChecks(examined),
    ...secretChecks(examined),
    ...(withDumps ? dumpStoreChecks(examined, withDumps) : []),
    ...exportStoreCheck(examined),
    ...(withDumps ? [...dumpPlanChecks(examined, withDumps), ...spaceChecks(examined, withDumps)] : []),
    ...healthChecks(examined),
  ];
};

/**
 * Tries what later jobs need, on each installation, and changes nothing: what is wrong is a finding. Safe beside any job.
 *
 * @throws {JobAbortedError} fatal: somebody stopped it; nothing else is thrown
 */
export const examine = async ({ installations, write, ...place }: Examination): Promise<readonly DoctorFinding[]> => {
  const { config, signal, progress } = place;
  const broken = new Map<string, string>();
  const findings = [...(await runChecks(machineChecks(config), { signal, progress, broken }))];
  for (const installation of installations) {
    const at = `installations[${config.installations.findIndex(({ id }) => id === installation.id)}]`;
    const checks = checksOf({ place: { ...place, installation }, at, write });
    findings.push(
      ...(await runChecks(checks, { installation: installation.id, signal, progress, broken: new Map(broken) })),
    );
  }
  return findings;
};
