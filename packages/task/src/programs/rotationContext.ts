import { setTimeout as sleep } from "node:timers/promises";
import { administratorIn } from "@openemr-ops/core/config/administrator";
import { requireSection } from "@openemr-ops/core/config/select";
import type { InstallationWith, RotationSettings } from "@openemr-ops/core/config/settings";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import { probeHttp } from "@openemr-ops/health/probeHttp";
import { deploymentOf, noRedeployment, type Redeployment, restartBy } from "@openemr-ops/rotation/redeploy/redeploy";
import { untilHealthy } from "@openemr-ops/rotation/redeploy/untilItWorks";
import { openSecrets } from "../openSecrets.ts";
import type { Place } from "../program.ts";

/** A program that waits shows that it does, and stops when the job does. */
export const wait = async (seconds: number, signal: AbortSignal): Promise<void> => {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted());
};

export const rotationsOf = ({ config, installation }: Place): InstallationWith<"rotations"> =>
  requireSection(config, installation, "rotations");

type Parts = { readonly [Name in keyof RotationSettings]-?: NonNullable<RotationSettings[Name]> };

/** The part of the section that a job works with. @throws {InvalidInputError} fatal: it is not set */
export const requirePart = <Name extends keyof Parts>(place: Place, name: Name): Parts[Name] => {
  const { config, installation } = place;
  const part = rotationsOf(place).rotations[name];
  if (part !== undefined) return part as Parts[Name];
  const index = config.installations.findIndex(({ id }) => id === installation.id);
  throw new InvalidInputError([
    {
      path: `installations[${index}].rotations.${name}`,
      message: `is missing; this job needs it: add ${name} to the section rotations of the installation ${installation.id}`,
    },
  ]);
};

/** A short wait for workers that end, a long one for what starts. Seconds. */
const patience = { before: 60, after: 300 };

/**
 * Waits until OpenEMR is healthy, by what its page holds.
 *
 * @throws {InvalidInputError} fatal: the section `health` is not set; a gate that sees nothing lets nobody through
 * @throws {InstallationUnhealthyError} fatal
 */
export const healthGate = (place: Place, when: keyof typeof patience): ((signal: AbortSignal) => Promise<void>) => {
  const { health } = requireSection(place.config, place.installation, "health");
  const { now, progress } = place;
  const limitSeconds = Math.min(patience[when], place.installation.rotations?.redeploy?.limitSeconds ?? patience[when]);
  const look = async (signal: AbortSignal) => {
    const { status, detail, next } = await probeHttp(health, { signal, now });
    return { name: "openemr", ok: status !== "failed", status, detail, ...(next === undefined ? {} : { next }) };
  };
  return (signal) => untilHealthy({ look, limitSeconds, wait, now, progress }, signal);
};

/** How OpenEMR is started anew: its service in ECS, or a command of this machine. */
export const openRedeployment = async (place: Place): Promise<Redeployment> => {
  const { platform, rotations } = rotationsOf(place);
  const { command, limitSeconds } = rotations.redeploy ?? {};
  const limit = limitSeconds === undefined ? {} : { limitSeconds };
  if (platform.kind === "ecs") {
    const { ecsDeployments } = await import("@openemr-ops/aws/ecsDeployments");
    return deploymentOf(ecsDeployments(platform), limit);
  }
  return command ? restartBy(command, limit) : noRedeployment;
};

/** Starts OpenEMR anew and waits until it is healthy. */
export const redeployAndLook = async (place: Place): Promise<{ readonly deployment?: string }> => {
  const gate = healthGate(place, "after");
  const { now, progress, signal } = place;
  const done = await (await openRedeployment(place)).carryOut({ wait, now, progress, signal });
  await gate(signal);
  return done;
};

/** The login of who administers the database, on the writer. */
export const administratorAccess = async (place: Place): Promise<DatabaseAccess> => {
  const { administrator } = requirePart(place, "database");
  const { database } = place.installation;
  const readSecret = openSecrets(place.environment);
  const { user, password } =
    "kind" in administrator
      ? administratorIn(administrator.field, await readSecret(administrator))
      : { user: administrator.user, password: await readSecret(administrator.password) };
  const { host, port } = database.restore;
  return {
    host,
    port,
    name: database.name,
    user,
    password: async () => password,
    tls: database.tls,
    ...(database.caFile ? { caFile: database.caFile } : {}),
    signal: place.signal,
  };
};
