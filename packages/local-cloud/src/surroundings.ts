import { delimiter, dirname } from "node:path";
import { toolDirectories } from "@openemr-ops/local/tools/findTool";
import type { ContainerOptions } from "./containers.ts";
import { principalOf } from "./delivery.ts";
import type { DeployedFunction, DeployedTask } from "./deployment.ts";
import type { AccessControl } from "./iam/accessControl.ts";
import type { Json } from "./json.ts";
import type { MotoClient } from "./motoState.ts";

type Variables = Readonly<Record<string, string>>;

/** What stands in place of some of a program's variables here; the second argument names the function or the family. */
export type Replacements = (environment: Variables, name: string) => Variables;

const replaced = (how: Variables | Replacements | undefined, environment: Variables, name: string): Variables =>
  typeof how === "function" ? how(environment, name) : (how ?? {});

export interface SurroundingsOptions {
  readonly access: AccessControl;
  readonly moto: MotoClient;
  readonly region: string;
  /** Address of the local cloud. */
  readonly endpoint: () => string;
  readonly taskEnvironment: Variables | Replacements | undefined;
  readonly functionEnvironment: Variables | Replacements | undefined;
}

/** What AWS puts around a program: its place, its role's keys, its secrets. */
export const surroundings = (options: SurroundingsOptions) => {
  const { access, endpoint, moto, region } = options;

  const shared = () => ({
    AWS_ENDPOINT_URL: endpoint(),
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
  });

  const secretsOf: ContainerOptions["secretsOf"] = async ({ executionRole, family }, { secrets }) => {
    const values: Record<string, string> = {};
    for (const [name, from] of Object.entries(secrets)) {
      const parts = from.split(":");
      const [arn, field] = [parts.slice(0, 7).join(":"), parts[7]];
      const call = { action: "secretsmanager:GetSecretValue", resource: arn, context: {} };
      if (!access.allows(principalOf(`start of task ${family}`, executionRole), call))
        throw new Error(`unable to pull secrets: access denied to ${arn}`);
      const value = await moto.secretValue(arn);
      values[name] = field ? String(JSON.parse(value)[field]) : value;
    }
    return values;
  };

  return {
    shared,
    /** For a function: keys in its environment, as Lambda gives them. */
    ofFunction: (fn: DeployedFunction): Variables => {
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentialsFor(
        principalOf(`function ${fn.name}`, fn.role),
      );
      return {
        ...shared(),
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
        ...replaced(options.functionEnvironment, fn.environment, fn.name),
      };
    },
    /** For a container: an address to fetch keys from, as Fargate gives it. */
    ofTask: ({ family, taskRole }: DeployedTask): Variables => {
      const { accessKeyId } = access.credentialsFor(principalOf(`task ${family}`, taskRole));
      return {
        PATH: [dirname(process.execPath), ...toolDirectories(process.env)].join(delimiter),
        ...shared(),
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${endpoint()}/local/credentials/${accessKeyId}`,
      };
    },
    taskReplacements: (environment: Variables, family: string): Variables =>
      replaced(options.taskEnvironment, environment, family),
    secretsOf,
    /** What a container finds at that address. */
    containerCredentials: (id: string): Json | undefined => {
      const principal = access.principalOf(id);
      if (!principal) return undefined;
      const { accessKeyId, secretAccessKey, sessionToken } = access.credentialsFor(principal);
      const Expiration = new Date(Date.now() + 6 * 3_600_000).toISOString();
      return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken, Expiration };
    },
  };
};
