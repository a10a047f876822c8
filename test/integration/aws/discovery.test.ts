import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { CreateFileSystemCommand, CreateMountTargetCommand, EFSClient } from "@aws-sdk/client-efs";
import { CreateDBClusterCommand, RDSClient } from "@aws-sdk/client-rds";
import { type EcsOverrides, fromOpenEmrOnEcs } from "@openemr-ops/aws/discovery/fromOpenEmrOnEcs";
import { configSchema } from "@openemr-ops/core/config/schema";
import {
  ControlPlaneAccessDeniedError,
  ControlPlaneUnavailableError,
  DiscoveryError,
  InvalidInputError,
} from "@openemr-ops/core/errors";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";
import { startAwsStub } from "../../support/awsStub.ts";

const secretArn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:dbsecret-AbCdEf";

const overrides: EcsOverrides = {
  id: "clinic-a",
  dumps: {
    destination: "s3://clinic-a-dumps",
    password: "arn:aws:secretsmanager:us-east-1:123456789012:secret:clinic-a/repository-AbCdEf",
    retention: { keepDaily: 7 },
  },
};

/** Makes a stack with these outputs, and a network that is its own. */
const createStack = async (name: string, outputs: Readonly<Record<string, string>>): Promise<void> => {
  const Outputs = {
    ...Object.fromEntries(Object.entries(outputs).map(([key, Value]) => [key, { Value }])),
    Vpc: { Value: { Ref: "Vpc" } },
    Subnet: { Value: { Ref: "Subnet" } },
    Group: { Value: { "Fn::GetAtt": ["Group", "GroupId"] } },
  };
  const Resources = {
    Vpc: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.0.0.0/16" } },
    Subnet: { Type: "AWS::EC2::Subnet", Properties: { VpcId: { Ref: "Vpc" }, CidrBlock: "10.0.1.0/24" } },
    Group: { Type: "AWS::EC2::SecurityGroup", Properties: { VpcId: { Ref: "Vpc" }, GroupDescription: "tasks" } },
  };
  const command = new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources, Outputs }) });
  await new CloudFormationClient().send(command);
};

const outputsOf = async (name: string): Promise<Readonly<Record<string, string>>> => {
  const { Stacks = [] } = await new CloudFormationClient().send(new DescribeStacksCommand({ StackName: name }));
  return Object.fromEntries(
    (Stacks[0]?.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
  );
};

let aws: AwsServer;
let network: { readonly vpcId: string; readonly subnetIds: string[]; readonly securityGroupIds: string[] };
let outputs: Readonly<Record<string, string>>;
beforeAll(async () => {
  aws = await startAws();
  await createStack("network", {});
  const { Vpc = "", Subnet = "", Group = "" } = await outputsOf("network");
  network = { vpcId: Vpc, subnetIds: [Subnet], securityGroupIds: [Group] };

  const ecs = new ECSClient();
  await ecs.send(new CreateClusterCommand({ clusterName: "openemr-cluster" }));
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: "openemr",
      networkMode: "awsvpc",
      containerDefinitions: [{ name: "openemr", image: "openemr/openemr", memory: 512 }],
    }),
  );
  for (const serviceName of ["openemr-service", "plain-service"])
    await ecs.send(
      new CreateServiceCommand({
        cluster: "openemr-cluster",
        serviceName,
        taskDefinition: "openemr",
        desiredCount: 0,
        ...(serviceName === "openemr-service"
          ? {
              networkConfiguration: {
                awsvpcConfiguration: { subnets: network.subnetIds, securityGroups: network.securityGroupIds },
              },
            }
          : {}),
      }),
    );
  const efs = new EFSClient();
  const { FileSystemId = "" } = await efs.send(new CreateFileSystemCommand({ CreationToken: "sites" }));
  await efs.send(new CreateMountTargetCommand({ FileSystemId, SubnetId: Subnet }));
  const { DBCluster } = await new RDSClient().send(
    new CreateDBClusterCommand({
      DBClusterIdentifier: "openemr-cluster-abc",
      Engine: "aurora-mysql",
      DatabaseName: "openemr",
      MasterUsername: "dbadmin",
      MasterUserPassword: "not-a-secret-here",
    }),
  );
  outputs = {
    ECSClusterName: "openemr-cluster",
    ECSServiceName: "openemr-service",
    EFSSitesFileSystemId: FileSystemId,
    DatabaseEndpoint: DBCluster?.Endpoint ?? "",
    DatabaseSecretARN: secretArn,
    ApplicationURL: "https://openemr.example.org",
  };
  await createStack("openemr", outputs);
});
afterAll(() => aws[Symbol.asyncDispose]());

const without = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(outputs).filter(([key]) => key !== name));

let count = 0;
/** Discovers a stack of its own with these outputs. */
const discover = async (given: Readonly<Record<string, string>>, changes: Partial<EcsOverrides> = {}) => {
  const stackName = `openemr-${count++}`;
  await createStack(stackName, given);
  return fromOpenEmrOnEcs({ stackName, overrides: { ...overrides, ...changes } });
};

describe("an OpenEMR on ECS", () => {
  it("is found by its stack, as a configuration takes it", async () => {
    const installation = await fromOpenEmrOnEcs({ stackName: "openemr", region: "us-east-1", overrides });

    expect(installation).toEqual({
      ...overrides,
      platform: { kind: "ecs", cluster: "openemr-cluster", service: "openemr-service", network },
      url: "https://openemr.example.org",
      database: { host: outputs.DatabaseEndpoint, port: 3306, name: "openemr", user: "dbadmin", password: secretArn },
      sites: { path: "/mnt/openemr-sites", fileSystemId: outputs.EFSSitesFileSystemId },
    });
    expect(configSchema.safeParse({ installations: [installation] }).error).toBeUndefined();
  });

  it.each([
    ["ECSClusterName", "platform.cluster"],
    ["ECSServiceName", "platform.service"],
    ["EFSSitesFileSystemId", "sites.fileSystemId"],
    ["DatabaseEndpoint", "database.host"],
    ["DatabaseSecretARN", "database.password"],
    ["ApplicationURL", "url"],
  ])("is refused without the output %s, with advice", async (name, override) => {
    const refusal = discover(without(name));

    await expect(refusal).rejects.toThrow(DiscoveryError);
    await expect(refusal).rejects.toThrow(`has no output ${name}`);
    await expect(refusal).rejects.toThrow(`overrides.${override}`);
  });

  it("names the stack's master user to make others with, where that is asked for", async () => {
    const database = {
      user: "openemr_dump",
      password: `${secretArn}1`,
      restore: { user: "openemr_restore", password: `${secretArn}2` },
    };
    const installation = await discover(outputs, { database, users: {} });
    expect(installation).toMatchObject({ database, users: { administrator: secretArn } });
    expect(configSchema.safeParse({ installations: [installation] }).error).toBeUndefined();

    const other = { administrator: `${secretArn}3` };
    expect(await discover(without("DatabaseSecretARN"), { database, users: other })).toMatchObject({ users: other });
    await expect(discover(without("DatabaseSecretARN"), { database, users: {} })).rejects.toThrow(
      /no output DatabaseSecretARN.*overrides\.users\.administrator/,
    );
  });

  it("keeps the endpoints that are asked for", async () => {
    const endpoints = { interface: { vpcCidrs: ["10.0.0.0/16"] } };
    const { platform } = await discover(outputs, { platform: { network: { endpoints } } });
    expect(platform).toMatchObject({ network: { ...network, endpoints } });
  });

  it("needs nothing of a stack whose every value is said", async () => {
    const said: EcsOverrides = {
      ...overrides,
      url: "https://other.example.org",
      platform: { cluster: "other", service: "web", network },
      database: { host: "db.example.org", port: 3307, name: "emr", user: "dump", password: secretArn, tls: "required" },
      sites: { path: "/mnt/other", fileSystemId: "fs-0123456789abcdef0", accessPointId: "fsap-0123456789abcdef0" },
    };
    expect(await fromOpenEmrOnEcs({ stackName: "no-such-stack", overrides: said })).toEqual({
      ...said,
      platform: { kind: "ecs", ...said.platform },
    });
  });

  it("takes a database user of one's own, and the rest from the cluster", async () => {
    const { database } = await discover(without("DatabaseSecretARN"), {
      database: {
        user: "openemr_dump",
        password: secretArn,
        restore: { user: "openemr_restore", password: secretArn },
      },
    });

    expect(database).toEqual({
      host: outputs.DatabaseEndpoint,
      port: 3306,
      name: "openemr",
      user: "openemr_dump",
      password: secretArn,
      restore: { user: "openemr_restore", password: secretArn },
    });
  });

  it.each([{ user: "dump" }, { password: secretArn }])("refuses a login that is not whole: %j", async (database) => {
    await expect(fromOpenEmrOnEcs({ stackName: "openemr", overrides: { ...overrides, database } })).rejects.toThrow(
      InvalidInputError,
    );
  });

  it.each<[string, Record<string, string>, string]>([
    ["another cluster", { ECSClusterName: "gone" }, "there is no ECS cluster gone"],
    ["another service", { ECSServiceName: "gone" }, "the ECS service gone of cluster openemr-cluster does not exist"],
    ["a service without a network", { ECSServiceName: "plain-service" }, "overrides.platform.network"],
    ["another file system", { EFSSitesFileSystemId: "fs-00000000000000000" }, "fs-00000000000000000"],
    ["another database", { DatabaseEndpoint: "db.example.org" }, "no database cluster has the endpoint db.example.org"],
  ])("is refused when the outputs lead to %s", async (_, changes, message) => {
    const refusal = discover({ ...outputs, ...changes });

    await expect(refusal).rejects.toThrow(DiscoveryError);
    await expect(refusal).rejects.toThrow(message);
  });

  it("is refused when there is no such stack", async () => {
    const refusal = fromOpenEmrOnEcs({ stackName: "no-such-stack", overrides });

    await expect(refusal).rejects.toThrow(DiscoveryError);
    await expect(refusal).rejects.toThrow("there is no stack no-such-stack");
  });

  it("says which right is missing, and when it may be tried again", async () => {
    for (const [answer, expected, words] of [
      [{ error: "AccessDenied", status: 403 }, ControlPlaneAccessDeniedError, "cloudformation:DescribeStacks"],
      [{ error: "Throttling" }, ControlPlaneUnavailableError, "try again later"],
    ] as const) {
      await using stub = await startAwsStub(() => answer);
      vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
      const refusal = fromOpenEmrOnEcs({ stackName: "openemr", overrides });
      await expect(refusal).rejects.toThrow(expected);
      await expect(refusal).rejects.toThrow(words);
    }
    vi.stubEnv("AWS_ENDPOINT_URL", aws.url);
  });
});
