import type { TaskNetwork } from "@openemr-ops/core/config/settings";
import type { Stack } from "aws-cdk-lib";
import {
  CfnVPCEndpoint,
  InterfaceVpcEndpointAwsService,
  type IPeer,
  Peer,
  Port,
  SecurityGroup,
  Vpc,
} from "aws-cdk-lib/aws-ec2";

/** Services that the program in a task calls, or Fargate for it, by an address in the VPC. Each costs by the hour and zone. */
const byInterface = ["ecr.api", "ecr.dkr", "events", "logs", "secretsmanager", "states"];
/** Services that tasks reach by a route; free. */
const byRoute = ["dynamodb", "s3"];

interface InterfaceSettings {
  readonly services: readonly string[];
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly peers: readonly IPeer[];
}

const gatewayEndpoints = (stack: Stack, vpcId: string, routeTableIds: readonly string[]): void => {
  for (const name of byRoute)
    new CfnVPCEndpoint(stack, `Endpoint-${name}`, {
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${stack.region}.${name}`,
      vpcId,
      routeTableIds: [...routeTableIds],
    });
};

const interfaceEndpoints = (stack: Stack, { services, vpcId, subnetIds, peers }: InterfaceSettings): void => {
  const vpc = Vpc.fromVpcAttributes(stack, "Vpc", { vpcId, availabilityZones: ["not asked"] });
  const group = new SecurityGroup(stack, "EndpointsGroup", {
    vpc,
    description: "Services of AWS, for tasks alone", // a change would replace the group
    allowAllOutbound: false,
  });
  for (const peer of peers) group.addIngressRule(peer, Port.tcp(443), "TLS to services of AWS");
  for (const name of services)
    new CfnVPCEndpoint(stack, `Endpoint-${name}`, {
      vpcEndpointType: "Interface",
      serviceName: new InterfaceVpcEndpointAwsService(name).name, // China's differ
      vpcId,
      subnetIds: [...subnetIds],
      securityGroupIds: [group.securityGroupId],
      privateDnsEnabled: true,
    });
};

/**
 * Endpoints that connect the tasks' subnets to AWS services without NAT and without the internet, when they are configured.
 * Private DNS changes a service's name for every workload of the VPC, OpenEMR among them, so an interface admits the ranges
 * of the whole VPC. A VPC accepts each endpoint once: of several installations in one VPC, one configures them.
 *
 * @param further services that only this installation's tasks call
 */
export const vpcEndpoints = (
  stack: Stack,
  { vpcId, subnetIds, securityGroupIds, endpoints = {} }: TaskNetwork,
  further: readonly string[] = [],
): void => {
  const services = [...byInterface, ...further].sort();
  const { gateway, interface: own, routeTableIds } = endpoints;
  if (routeTableIds) {
    // The form before: both kinds, for the tasks' groups alone.
    gatewayEndpoints(stack, vpcId, routeTableIds);
    interfaceEndpoints(stack, {
      services,
      vpcId,
      subnetIds,
      peers: securityGroupIds.map((id) => Peer.securityGroupId(id)),
    });
  }
  if (gateway) gatewayEndpoints(stack, vpcId, gateway.routeTableIds);
  if (own)
    interfaceEndpoints(stack, {
      services,
      vpcId,
      subnetIds: own.subnetIds ?? subnetIds,
      peers: own.vpcCidrs.map((range) => Peer.ipv4(range)),
    });
};
