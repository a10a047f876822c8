import { CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DescribeServicesCommand, ECSClient } from "@aws-sdk/client-ecs";
import { DescribeMountTargetsCommand, EFSClient } from "@aws-sdk/client-efs";
import { paginateDescribeDBClusters, RDSClient } from "@aws-sdk/client-rds";
import { DiscoveryError } from "@openemr-ops/core/errors";
import { clientSettings } from "../clientSettings.ts";
import { controlPlaneFailure } from "../controlPlaneFailure.ts";

/** The AWS services that are used. */
export interface DiscoveryClients {
  readonly stacks: CloudFormationClient;
  readonly ecs: ECSClient;
  readonly rds: RDSClient;
  readonly efs: EFSClient;
}

export const discoveryClients = (region: string | undefined): DiscoveryClients => {
  const settings = { ...clientSettings, ...(region === undefined ? {} : { region }) };
  return {
    stacks: new CloudFormationClient(settings),
    ecs: new ECSClient(settings),
    rds: new RDSClient(settings),
    efs: new EFSClient(settings),
  };
};

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "");

/** The values of a stack's outputs by their names. */
export const readOutputs = async (
  { stacks }: DiscoveryClients,
  stackName: string,
): Promise<ReadonlyMap<string, string>> => {
  const missing = `there is no stack ${stackName} in this account and region; correct stackName, region or credentials`;
  try {
    const { Stacks: [stack] = [] } = await stacks.send(new DescribeStacksCommand({ StackName: stackName }));
    if (!stack) throw new DiscoveryError(missing);
    return new Map((stack.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]));
  } catch (error) {
    if (nameOf(error) === "ValidationError") throw new DiscoveryError(missing, { cause: error });
    throw controlPlaneFailure(error, `reading the stack ${stackName}`, "cloudformation:DescribeStacks");
  }
};

/** The network of a service's tasks. */
export const findNetwork = async (
  { ecs }: DiscoveryClients,
  cluster: string,
  service: string,
): Promise<{ readonly subnetIds: string[]; readonly securityGroupIds: string[] }> => {
  const missing = `the ECS service ${service} of cluster ${cluster}`;
  const { services: [found] = [] } = await ecs
    .send(new DescribeServicesCommand({ cluster, services: [service] }))
    .catch((error: unknown) => {
      if (nameOf(error) === "ClusterNotFoundException")
        throw new DiscoveryError(`there is no ECS cluster ${cluster}; set overrides.platform.cluster`, {
          cause: error,
        });
      throw controlPlaneFailure(error, `looking at ${missing}`, "ecs:DescribeServices");
    });
  if (!found || found.status === "INACTIVE")
    throw new DiscoveryError(`${missing} does not exist; set overrides.platform.service`);
  const { subnets = [], securityGroups = [] } = found.networkConfiguration?.awsvpcConfiguration ?? {};
  if (subnets.length > 0 && securityGroups.length > 0) return { subnetIds: subnets, securityGroupIds: securityGroups };
  throw new DiscoveryError(`${missing} has no subnets and security groups; set overrides.platform.network`);
};

/** The VPC in which a file system can be mounted. */
export const findVpc = async ({ efs }: DiscoveryClients, fileSystemId: string): Promise<string> => {
  const { MountTargets = [] } = await efs
    .send(new DescribeMountTargetsCommand({ FileSystemId: fileSystemId }))
    .catch((error: unknown) => {
      if (nameOf(error) === "FileSystemNotFound")
        throw new DiscoveryError(`there is no file system ${fileSystemId}; set overrides.sites.fileSystemId`, {
          cause: error,
        });
      throw controlPlaneFailure(
        error,
        `looking at the file system ${fileSystemId}`,
        "elasticfilesystem:DescribeMountTargets",
      );
    });
  const [vpcId, other] = new Set(MountTargets.map((target) => target.VpcId).filter((id) => id !== undefined));
  if (vpcId !== undefined && other === undefined) return vpcId;
  const problem = vpcId === undefined ? "is mounted in no VPC" : "is mounted in several VPCs";
  throw new DiscoveryError(`the file system ${fileSystemId} ${problem}; set overrides.platform.network.vpcId`);
};

/** The database cluster with this writer endpoint. */
export const findCluster = async (
  { rds }: DiscoveryClients,
  endpoint: string,
): Promise<{ readonly port: number; readonly masterUser: string; readonly schema: string | undefined }> => {
  try {
    for await (const { DBClusters = [] } of paginateDescribeDBClusters({ client: rds }, {})) {
      const found = DBClusters.find(({ Endpoint }) => Endpoint?.toLowerCase() === endpoint.toLowerCase());
      if (found?.MasterUsername !== undefined)
        return { port: found.Port ?? 3306, masterUser: found.MasterUsername, schema: found.DatabaseName };
    }
  } catch (error) {
    throw controlPlaneFailure(error, "looking for the database cluster", "rds:DescribeDBClusters");
  }
  throw new DiscoveryError(
    `no database cluster has the endpoint ${endpoint}; set port, name, user and password in overrides.database`,
  );
};
