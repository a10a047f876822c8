import type { ServiceDeployment, ServiceView } from "@openemr-ops/core/deployments";
import {
  DeploymentFailedError,
  DeploymentRolledBackError,
  DeploymentStuckError,
  type OpsError,
  ServiceScaledToZeroError,
} from "@openemr-ops/core/errors";

/** A deployment that was started, and how long it may take. */
export interface StartedDeployment {
  /** What `deploy` returned: nothing else distinguishes a forced deployment from others. */
  readonly id: string;
  /** For messages. */
  readonly service: string;
  readonly startedAt: Date;
  /** Its own, since the container service tries for hours. */
  readonly limitSeconds: number;
}

/** What a look at a deployment says. `underWay`: look again later. */
export type Judgement =
  | { readonly state: "completed" }
  | { readonly state: "underWay"; readonly detail: string }
  | { readonly state: "failed" | "rolledBack" | "replaced" | "stuck" | "scaledToZero"; readonly error: OpsError };

/** 15 to 25 minutes are usual for OpenEMR, whose tasks start slowly. */
export const usualLimitSeconds = 45 * 60;

const tasks = (count: number): string => `${count} ${count === 1 ? "task" : "tasks"}`;

const said = (deployment: ServiceDeployment | undefined): string =>
  deployment?.reason ? `: ${deployment.reason}` : "";

const isRollBack = ({ reason = "" }: ServiceDeployment): boolean => /roll(ing|ed)[ -]?back/i.test(reason);

const atZero = (service: string): Judgement => ({
  state: "scaledToZero",
  error: new ServiceScaledToZeroError(
    `${service} is set to run no task, so that a deployment proves nothing; set its desired count to 1 or more`,
  ),
});

/** Another deployment is the newest. */
const overtaken = (
  { id, service }: StartedDeployment,
  own: ServiceDeployment | undefined,
  primary: ServiceDeployment,
): Judgement => {
  if (own?.rollout === "FAILED" || (own && isRollBack(own)) || isRollBack(primary))
    return {
      state: "rolledBack",
      error: new DeploymentRolledBackError(
        `${service} went back to the deployment before, because ${id} failed${said(own ?? primary)}; read why its tasks stopped`,
      ),
    };
  return {
    state: "replaced",
    error: new DeploymentRolledBackError(
      `another deployment of ${service} (${primary.id}) took the place of ${id} before that was complete; wait until it has ended, then start the job again`,
    ),
  };
};

const unfinished = (own: ServiceDeployment, others: readonly ServiceDeployment[]): string => {
  const { running, desired, pending, failed } = own;
  const before = others.reduce((sum, other) => sum + other.running, 0);
  return [
    `${running} of ${tasks(desired)} run`,
    ...(pending > 0 ? [`${pending} start`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(before > 0 ? [`${tasks(before)} of the deployment before`] : []),
  ].join(", ");
};

/** Whether a service may be deployed at all; `undefined` when it may. Asked before anything is changed. */
export const deploymentProblem = ({ desired }: ServiceView, service: string): OpsError | undefined => {
  const judged = desired === 0 ? atZero(service) : undefined;
  return judged && "error" in judged ? judged.error : undefined;
};

/**
 * Decides what a service says of a deployment that was started. Complete is only a deployment that is the newest one, that the
 * container service calls complete, of which as many tasks run as are wanted, and beside which none of another runs. A service
 * that is stable may have gone back, so that is not asked.
 *
 * @returns for what is neither complete nor under way the error that a job ends with
 */
export const judgeDeployment = (started: StartedDeployment, view: ServiceView, now: Date): Judgement => {
  const { id, service, startedAt, limitSeconds } = started;
  const own = view.deployments.find((deployment) => deployment.id === id);
  const others = view.deployments.filter((deployment) => deployment.id !== id);
  const primary = view.deployments.find(({ status }) => status === "PRIMARY");
  const late = now.getTime() - startedAt.getTime() >= limitSeconds * 1000;
  const goOn = (detail: string): Judgement =>
    late
      ? {
          state: "stuck",
          error: new DeploymentStuckError(
            `deployment ${id} of ${service} is not complete after ${Math.round(limitSeconds / 60)} minutes (${detail}); find out what its tasks wait for`,
          ),
        }
      : { state: "underWay", detail };

  if (view.desired === 0) return atZero(service);
  if (primary && primary.id !== id) return overtaken(started, own, primary);
  if (!own) return goOn("the service does not list it");
  if (own.rollout === "FAILED")
    return {
      state: "failed",
      error: new DeploymentFailedError(`deployment ${id} of ${service} failed${said(own)}; read why its tasks stopped`),
    };
  const complete = own.rollout === undefined || own.rollout === "COMPLETED";
  const alone = others.every(({ running, pending }) => running + pending === 0);
  if (complete && alone && own.status === "PRIMARY" && own.desired > 0 && own.running === own.desired)
    return { state: "completed" };
  return goOn(unfinished(own, others));
};
