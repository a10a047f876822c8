import type { ECSClient } from "@aws-sdk/client-ecs";
import { ControlPlaneMissingError, ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import type { ServiceState } from "@openemr-ops/core/service";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

/** Only a restore in place asks; every other job does without. */
const sdk = () => import("@aws-sdk/client-ecs");

const counted = async (
  client: ECSClient,
  cluster: string,
  service: string,
): Promise<{ readonly running: number; readonly wanted: number }> => {
  const where = `the ECS service ${service} of cluster ${cluster}`;
  const { DescribeServicesCommand } = await sdk();
  const { services: [found] = [] } = await client
    .send(new DescribeServicesCommand({ cluster, services: [service] }))
    .catch((error: unknown) => {
      throw controlPlaneFailure(error, `looking at ${where}`, "ecs:DescribeServices on it");
    });
  if (!found || found.status === "INACTIVE")
    throw new ControlPlaneMissingError(`${where} does not exist; correct platform.cluster and platform.service`);
  const { runningCount, pendingCount, desiredCount } = found;
  if (runningCount === undefined || pendingCount === undefined || desiredCount === undefined)
    throw new ControlPlaneUnavailableError(`looking at ${where} gave no counts of tasks: try again later`);
  return { running: runningCount + pendingCount, wanted: desiredCount };
};

const listed = async (client: ECSClient, cluster: string, serviceName: string): Promise<number> => {
  const { paginateListTasks } = await sdk();
  let tasks = 0;
  try {
    for await (const { taskArns = [] } of paginateListTasks({ client }, { cluster, serviceName }))
      tasks += taskArns.length;
  } catch (error) {
    throw controlPlaneFailure(error, `listing the tasks of the ECS service ${serviceName}`, "ecs:ListTasks on it");
  }
  return tasks;
};

/** OpenEMR's service in ECS. Both the service's counts and the list of its tasks are asked: either may be late. */
export const ecsService = ({
  cluster,
  service,
}: {
  readonly cluster: string;
  readonly service: string;
}): ServiceState => ({
  name: `service ${service} of cluster ${cluster}`,
  howToStop:
    "set its desired count to 0 (aws ecs update-service --desired-count 0) and wait until its tasks have ended",
  state: async () => {
    const { ECSClient } = await sdk();
    const client = new ECSClient(clientSettings);
    const [counts, tasks] = await Promise.all([counted(client, cluster, service), listed(client, cluster, service)]);
    return { ...counts, running: Math.max(counts.running, tasks) };
  },
});
