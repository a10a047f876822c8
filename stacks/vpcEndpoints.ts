import type { TaskNetwork } from "@openemr-ops/core/config/settings";
import type { Stack } from "aws-cdk-lib";
import { CfnVPCEndpoint, Peer, Port, SecurityGroup, Vpc } from "aws-cdk-lib/aws-ec2";

/** Services that tasks reach by an address in the VPC. */
const byInterface = ["ecr.api", "ecr.dkr", "events", "kms", "logs", "secretsmanager", "states"];
/** Services that tasks reach by a route. */
const byRoute = ["dynamodb", "s3"];

/**
 * Endpoints that connect the tasks' subnets to AWS services without NAT and without the internet, when they are configured.
 * A VPC accepts each endpoint once: of several installations in one VPC, one configures them.
 */
export const vpcEndpoints = (stack: Stack, { vpcId, subnetIds, securityGroupIds, endpoints }: TaskNetwork): void => {
  if (!endpoints) return;
  const service = (name: string) => `com.amazonaws.${stack.region}.${name}`;
  const routeTableIds = [...endpoints.routeTableIds];
  for (const name of byRoute)
    new CfnVPCEndpoint(stack, `Endpoint-${name}`, {
      vpcEndpointType: "Gateway",
      serviceName: service(name),
      vpcId,
      routeTableIds,
    });

  const vpc = Vpc.fromVpcAttributes(stack, "Vpc", { vpcId, availabilityZones: ["not asked"] });
  const group = new SecurityGroup(stack, "EndpointsGroup", {
    vpc,
    description: "Services of AWS, for tasks alone",
    allowAllOutbound: false,
  });
  for (const id of securityGroupIds)
    group.addIngressRule(Peer.securityGroupId(id), Port.tcp(443), "TLS from the tasks of an installation");
  for (const name of byInterface)
    new CfnVPCEndpoint(stack, `Endpoint-${name}`, {
      vpcEndpointType: "Interface",
      serviceName: service(name),
      vpcId,
      subnetIds: [...subnetIds],
      securityGroupIds: [group.securityGroupId],
      privateDnsEnabled: true,
    });
};
