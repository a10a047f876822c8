import type { DeployableService } from "@openemr-ops/core/deployments";
import { DeploymentFailedError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { runToExit } from "@openemr-ops/files/runToExit";
import { deploymentProblem, judgeDeployment, usualLimitSeconds } from "./judgeDeployment.ts";

/** How OpenEMR is started anew. */
export interface Redeployment {
  /** What it does, in words that follow "would". */
  readonly would: string;
  /** Looks whether it can be done. Changes nothing. @throws {ServiceScaledToZeroError} */
  check(): Promise<void>;
  /** Does it, and waits until it is done; whether OpenEMR is healthy then is looked at elsewhere. */
  carryOut(ports: RedeployPorts): Promise<{ readonly deployment?: string }>;
}

export interface RedeployPorts {
  readonly wait: (seconds: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => Date;
  readonly progress: ReportProgress;
  readonly signal: AbortSignal;
}

/** A reload takes seconds, a start of containers minutes. */
const commandLimitSeconds = 600;

/**
 * Runs a command of this machine. No shell reads it, and nothing that it prints is kept: a web server that cannot start may
 * quote what it was configured with.
 *
 * @param command the program, then its arguments
 */
export const restartBy = (
  [program = "", ...args]: readonly string[],
  { limitSeconds = commandLimitSeconds }: { readonly limitSeconds?: number } = {},
): Redeployment => ({
  would: `run ${program}`,
  check: async () => {},
  carryOut: async ({ progress, signal }) => {
    progress({ step: "redeploy", detail: `runs ${program}` });
    const { code, signal: endedBy, late } = await runToExit(program, args, { signal, limitSeconds });
    signal.throwIfAborted();
    const what = `the restart command of rotations.redeploy.command (${program})`;
    const next = "run it by hand to see what it prints, and look whether OpenEMR works";
    if (late) throw new DeploymentFailedError(`${what} did not end within ${limitSeconds} seconds; ${next}`);
    if (code !== 0)
      throw new DeploymentFailedError(
        `${what} ended ${code === null ? `by the signal ${endedBy}` : `with status ${code}`}; ${next}`,
      );
    return {};
  },
});

const secondsBetweenLooks = 15;

/** Deploys a service anew and follows the deployment by its identifier. */
export const deploymentOf = (
  service: DeployableService,
  { limitSeconds = usualLimitSeconds }: { readonly limitSeconds?: number } = {},
): Redeployment => {
  const check = async () => {
    const problem = deploymentProblem(await service.view(), service.name);
    if (problem) throw problem;
  };
  return {
    would: `deploy ${service.name} anew`,
    check,
    carryOut: async ({ wait, now, progress, signal }) => {
      await check();
      const id = await service.deploy();
      const started = { id, service: service.name, startedAt: now(), limitSeconds };
      for (;;) {
        signal.throwIfAborted();
        const judged = judgeDeployment(started, await service.view(), now());
        if (judged.state === "completed") return { deployment: id };
        if (judged.state !== "underWay") throw judged.error;
        progress({ step: "redeploy", detail: judged.detail });
        await wait(secondsBetweenLooks, signal);
      }
    },
  };
};

/** Nothing starts OpenEMR anew here: it reads `sqlconf.php` for each request. */
export const noRedeployment: Redeployment = {
  would: "start nothing anew",
  check: async () => {},
  carryOut: async () => ({}),
};
