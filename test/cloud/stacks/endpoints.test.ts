import type { TaskNetwork } from "@openemr-ops/core/config/settings";
import { vpcEndpoints } from "@openemr-ops/stacks/vpcEndpoints";
import { App, Stack } from "aws-cdk-lib";
import { describe, expect, inject, it } from "vitest";
import { resourcesOf } from "../../support/templates.ts";

const tasks = {
  vpcId: "vpc-0b1b1b1b1b1b1b1b1",
  subnetIds: ["subnet-0b1b1b1b1b1b1b1b1"],
  securityGroupIds: ["sg-0b1b1b1b1b1b1b1b1"],
};

/** The endpoints and security groups of a stack that has nothing else. */
const madeBy = (endpoints: TaskNetwork["endpoints"], region = "eu-central-1") => {
  const app = new App();
  const stack = new Stack(app, "Installation", { env: { account: "123456789012", region } });
  vpcEndpoints(stack, { ...tasks, ...(endpoints ? { endpoints } : {}) });
  const { template } = app.synth().getStackByName("Installation");
  const stacks = [{ name: "Installation", template: { Resources: {}, ...template }, messages: [] }];
  return {
    endpoints: resourcesOf(stacks, "AWS::EC2::VPCEndpoint").map(({ resource: { Properties = {} } }) => Properties),
    ingress: resourcesOf(stacks, "AWS::EC2::SecurityGroup").map(
      ({ resource: { Properties = {} } }) => Properties.SecurityGroupIngress,
    ),
  };
};

const namesIn = (endpoints: readonly Readonly<Record<string, unknown>>[]) =>
  endpoints.map(({ ServiceName }) => String(ServiceName)).sort();
const here = (...services: readonly string[]) => services.map((name) => `com.amazonaws.eu-central-1.${name}`);
const called = here("ecr.api", "ecr.dkr", "events", "logs", "secretsmanager", "states");
const routeTableIds = ["rtb-0b1b1b1b1b1b1b1b1"];
const vpcCidrs = ["10.0.0.0/16", "100.64.0.0/20"];

describe("ways to AWS's services", () => {
  it("are made where the configuration asks for them, and nowhere else", () => {
    const endpoints = resourcesOf(inject("synth").prod, "AWS::EC2::VPCEndpoint");
    expect(endpoints.map(({ resource: { Properties = {} } }) => Properties.VpcId)).toEqual(
      Array(8).fill("vpc-0b1b1b1b1b1b1b1b1"),
    );
    expect(madeBy(undefined)).toEqual({ endpoints: [], ingress: [] });
  });

  it("by a route cost nothing and need nothing else", () => {
    const { endpoints, ingress } = madeBy({ gateway: { routeTableIds } });
    expect(namesIn(endpoints)).toEqual(here("dynamodb", "s3"));
    for (const endpoint of endpoints)
      expect(endpoint).toMatchObject({ VpcEndpointType: "Gateway", RouteTableIds: routeTableIds });
    expect(ingress).toEqual([]);
  });

  it("by an interface are of the services that tasks call, and open to the whole VPC, whose names they change", () => {
    const { endpoints, ingress } = madeBy({ interface: { vpcCidrs } });
    expect(namesIn(endpoints)).toEqual(called);
    for (const endpoint of endpoints)
      expect(endpoint).toMatchObject({ PrivateDnsEnabled: true, SubnetIds: tasks.subnetIds });
    const https = { FromPort: 443, ToPort: 443, IpProtocol: "tcp" };
    expect(ingress).toMatchObject([vpcCidrs.map((CidrIp) => ({ ...https, CidrIp }))]);
  });

  it("by an interface lie in subnets of their own where tasks have two in a zone", () => {
    const subnetIds = ["subnet-0c1c1c1c1c1c1c1c1"];
    for (const { SubnetIds } of madeBy({ interface: { vpcCidrs, subnetIds } }).endpoints)
      expect(SubnetIds).toEqual(subnetIds);
  });

  it("have China's names in China", () => {
    const { endpoints } = madeBy({ gateway: { routeTableIds }, interface: { vpcCidrs } }, "cn-north-1");
    expect(namesIn(endpoints)).toContain("cn.com.amazonaws.cn-north-1.ecr.api");
    expect(namesIn(endpoints)).toContain("com.amazonaws.cn-north-1.s3");
  });

  it("stay for a configuration in the form before, with the groups that it had", () => {
    const { endpoints, ingress } = madeBy({ routeTableIds });
    expect(namesIn(endpoints)).toEqual([...called, ...here("dynamodb", "s3")].sort());
    expect(ingress).toMatchObject([[{ SourceSecurityGroupId: tasks.securityGroupIds[0], FromPort: 443 }]]);
  });
});
