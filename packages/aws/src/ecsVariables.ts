import {
  type ContainerDefinition,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
} from "@aws-sdk/client-ecs";
import { ControlPlaneMissingError } from "@openemr-ops/core/errors";
import type { StartVariable, StartVariables, VariableSource } from "@openemr-ops/core/startVariables";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";

const secret = /^(arn:aws[a-z-]*:secretsmanager:[^:]+:\d+:secret:[^:]+)(?::([^:]*):([^:]*):([^:]*))?$/;
const parameter = /^arn:aws[a-z-]*:ssm:[^:]+:\d+:parameter(\/.+)$/;

/** Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html; a parameter of the own region comes by its name. */
const sourceIn = (from: string): VariableSource => {
  const [, arn, key = "", stage = "", version = ""] = secret.exec(from) ?? [];
  if (arn !== undefined) {
    const fixed = version || (stage === "AWSCURRENT" ? "" : stage);
    return { kind: "secret", arn, ...(key ? { key } : {}), ...(fixed ? { version: fixed } : {}) };
  }
  return { kind: "parameter", name: parameter.exec(from)?.[1] ?? from };
};

const variablesOf = ({
  name: container = "",
  environment = [],
  secrets = [],
}: ContainerDefinition): StartVariable[] => [
  ...environment.map(({ name = "" }) => ({ name, container, from: { kind: "text" as const } })),
  ...secrets.map(({ name = "", valueFrom = "" }) => ({ name, container, from: sourceIn(valueFrom) })),
];

/** Variables of the task definition that OpenEMR's service in ECS starts tasks of. Errors: those of the control plane. */
export const ecsVariables = ({
  cluster,
  service,
}: {
  /** Names or ARNs. */
  readonly cluster: string;
  readonly service: string;
}): StartVariables => {
  const where = `the ECS service ${service} of cluster ${cluster}`;
  return {
    read: async (names) => {
      const client = new ECSClient(clientSettings);
      const { services: [found] = [] } = await client
        .send(new DescribeServicesCommand({ cluster, services: [service] }))
        .catch((error: unknown) => {
          throw controlPlaneFailure(error, `looking at ${where}`, "ecs:DescribeServices on it");
        });
      if (found?.taskDefinition === undefined || found.status === "INACTIVE")
        throw new ControlPlaneMissingError(`${where} does not exist; correct platform.cluster and platform.service`);
      const { taskDefinition } = found;
      const { taskDefinition: started } = await client
        .send(new DescribeTaskDefinitionCommand({ taskDefinition }))
        .catch((error: unknown) => {
          throw controlPlaneFailure(error, `looking at what ${where} starts`, "ecs:DescribeTaskDefinition");
        });
      const all = (started?.containerDefinitions ?? []).flatMap(variablesOf);
      return all.filter(({ name }) => names.includes(name));
    },
  };
};
