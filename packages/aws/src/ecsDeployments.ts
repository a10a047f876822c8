import {
  DescribeServicesCommand,
  ECSClient,
  type Deployment as EcsDeployment,
  type Service,
  UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import type { DeployableService, ServiceDeployment } from "@openemr-ops/core/deployments";
import { ControlPlaneMissingError, ControlPlaneUnavailableError, type OpsError } from "@openemr-ops/core/errors";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface EcsDeploymentsSettings {
  /** Names or ARNs. */
  readonly cluster: string;
  readonly service: string;
  readonly client?: Pick<ECSClient, "send">;
}

const described = (deployment: EcsDeployment): ServiceDeployment => ({
  id: deployment.id ?? "",
  status: deployment.status ?? "INACTIVE",
  rollout: deployment.rolloutState,
  reason: deployment.rolloutStateReason,
  desired: deployment.desiredCount ?? 0,
  running: deployment.runningCount ?? 0,
  pending: deployment.pendingCount ?? 0,
  failed: deployment.failedTasks ?? 0,
});

/** Names that an absent service or cluster has in ECS. */
const absent = /^(ServiceNotFound|ServiceNotActive|ClusterNotFound)Exception$/;

/** The deployments of OpenEMR's service in ECS. Errors: those of the control plane. */
export const ecsDeployments = ({ cluster, service, client: given }: EcsDeploymentsSettings): DeployableService => {
  const client = onFirstUse(() => given ?? new ECSClient(clientSettings));
  const where = `the ECS service ${service} of cluster ${cluster}`;
  const missing = (options?: ErrorOptions) =>
    new ControlPlaneMissingError(`${where} does not exist; correct platform.cluster and platform.service`, options);
  const failure = (error: unknown, doing: string, right: string): OpsError =>
    error instanceof Error && absent.test(error.name)
      ? missing({ cause: error })
      : controlPlaneFailure(error, `${doing} ${where}`, `ecs:${right} on it`);

  const find = async (): Promise<Service> => {
    const { services: [found] = [] } = await client()
      .send(new DescribeServicesCommand({ cluster, services: [service] }))
      .catch((error: unknown) => {
        throw failure(error, "looking at", "DescribeServices");
      });
    if (!found || found.status === "INACTIVE") throw missing();
    return found;
  };

  return {
    name: `service ${service} of cluster ${cluster}`,
    /** The deployment that this call made is the primary one in ECS's own answer. */
    deploy: async () => {
      const { service: updated } = await client()
        .send(new UpdateServiceCommand({ cluster, service, forceNewDeployment: true }))
        .catch((error: unknown) => {
          throw failure(error, "redeploying", "UpdateService");
        });
      const id = updated?.deployments?.find(({ status }) => status === "PRIMARY")?.id;
      if (id === undefined)
        throw new ControlPlaneUnavailableError(`redeploying ${where} gave no deployment: try again later`);
      return id;
    },
    view: async () => {
      const { desiredCount: desired, deployments = [] } = await find();
      if (desired === undefined)
        throw new ControlPlaneUnavailableError(`looking at ${where} gave no count of tasks: try again later`);
      return { desired, deployments: deployments.map(described) };
    },
  };
};
