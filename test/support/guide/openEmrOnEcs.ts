import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { CreateFileSystemCommand, CreateMountTargetCommand, EFSClient } from "@aws-sdk/client-efs";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const [cluster, service] = ["openemr-cluster", "openemr-service"];

/** What runs in the account before the guide begins: OpenEMR in ECS, with the outputs of its stack `OpenemrEcsStack`. */
export const createOpenEmrOnEcs = async ({
  moto,
  region,
  database,
}: {
  readonly moto: string;
  readonly region: string;
  readonly database: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
}): Promise<void> => {
  const credentials = { accessKeyId: "local", secretAccessKey: "local-only" };
  const settings = { endpoint: moto, region, credentials };
  const stacks = new CloudFormationClient(settings);
  const create = (name: string, resources: object, outputs: object) =>
    stacks.send(
      new CreateStackCommand({
        StackName: name,
        TemplateBody: JSON.stringify({ Resources: resources, Outputs: outputs }),
      }),
    );
  await create(
    "network",
    {
      Vpc: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.0.0.0/16" } },
      Subnet: { Type: "AWS::EC2::Subnet", Properties: { VpcId: { Ref: "Vpc" }, CidrBlock: "10.0.1.0/24" } },
      Group: { Type: "AWS::EC2::SecurityGroup", Properties: { VpcId: { Ref: "Vpc" }, GroupDescription: "tasks" } },
    },
    { Subnet: { Value: { Ref: "Subnet" } }, Group: { Value: { "Fn::GetAtt": ["Group", "GroupId"] } } },
  );
  const { Stacks: [network] = [] } = await stacks.send(new DescribeStacksCommand({ StackName: "network" }));
  const outputOf = (name: string) => network?.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue ?? "";

  const ecs = new ECSClient(settings);
  await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family: "openemr",
      networkMode: "awsvpc",
      containerDefinitions: [{ name: "openemr", image: "openemr/openemr", memory: 512 }],
    }),
  );
  await ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName: service,
      taskDefinition: "openemr",
      desiredCount: 0,
      networkConfiguration: {
        awsvpcConfiguration: { subnets: [outputOf("Subnet")], securityGroups: [outputOf("Group")] },
      },
    }),
  );
  const efs = new EFSClient(settings);
  const { FileSystemId = "" } = await efs.send(new CreateFileSystemCommand({ CreationToken: "sites" }));
  await efs.send(new CreateMountTargetCommand({ FileSystemId, SubnetId: outputOf("Subnet") }));
  const { user: username, password, host, port } = database;
  const secrets = new SecretsManagerClient(settings);
  const { ARN } = await secrets.send(
    new CreateSecretCommand({ Name: "dbsecret", SecretString: JSON.stringify({ username, password, host, port }) }),
  );
  const outputs = {
    ECSClusterName: cluster,
    ECSServiceName: service,
    EFSSitesFileSystemId: FileSystemId,
    DatabaseEndpoint: host,
    DatabaseSecretARN: ARN,
    ApplicationURL: "https://clinic-a.example.org",
  };
  await create(
    "OpenemrEcsStack",
    { Nothing: { Type: "AWS::CloudFormation::WaitConditionHandle" } },
    Object.fromEntries(Object.entries(outputs).map(([name, Value]) => [name, { Value }])),
  );
};
