import { describe, expect, inject, it } from "vitest";
import { resourcesOf } from "../../support/templates.ts";

const endpoints = resourcesOf(inject("synth").prod, "AWS::EC2::VPCEndpoint").map(
  ({ resource: { Properties = {} } }) => ({
    service: String(Properties.ServiceName).split(".").slice(3).join("."),
    properties: Properties,
  }),
);

describe("ways to AWS's services", () => {
  it("are made where the configuration asks for them, and nowhere else", () => {
    expect(endpoints.map(({ properties }) => properties.VpcId)).toEqual(Array(9).fill("vpc-0b1b1b1b1b1b1b1b1"));
    expect(endpoints.map(({ service }) => service).sort()).toEqual([
      ...["dynamodb", "ecr.api", "ecr.dkr", "events", "kms", "logs", "s3", "secretsmanager", "states"],
    ]);
  });

  it("are open to the tasks of that installation alone", () => {
    const groups = resourcesOf(inject("synth").prod, "AWS::EC2::SecurityGroup");
    const tasks = { SourceSecurityGroupId: "sg-0b1b1b1b1b1b1b1b1", FromPort: 443, ToPort: 443, IpProtocol: "tcp" };
    expect(groups.map(({ resource: { Properties = {} } }) => Properties.SecurityGroupIngress)).toMatchObject([[tasks]]);
  });
});
