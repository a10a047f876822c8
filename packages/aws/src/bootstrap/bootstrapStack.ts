import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { ControlPlaneMissingError } from "@openemr-ops/core/errors";
import { clientSettings } from "../clientSettings.ts";
import { controlPlaneFailure } from "../controlPlaneFailure.ts";

/** Name of the stack in which SST looks for its version and its bucket. */
export const bootstrapStackName = "OpenEmrOpsBootstrap";
/** As SST names its own. Its version is compatible with every SST 2. */
const ofSst = "SSTBootstrap";
/** The version that SST 2.49 requires; see `node_modules/sst/bootstrap.js`. */
export const bootstrapVersion = "7.4";
/** CDK's own, which holds files of a deployment and its roles, and no function. SST requires this version. */
const [cdkStack, cdkVersion] = ["CDKToolkit", 14];

/** Where a deployment goes, by whom, as SST's options name them. */
export interface DeploymentPlace {
  readonly region: string;
  readonly profile?: string | undefined;
  /** ARN of a role that deploys. */
  readonly role?: string | undefined;
}

/** The stacks of an account and region. */
export interface AccountStacks {
  /** Twelve digits. */
  account(): Promise<string>;
  /** The stack's outputs; undefined when there is none, or it was not created to its end. */
  outputs(name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** The stack's state; undefined when there is none. */
  status(name: string): Promise<string | undefined>;
  /** Resolves when it is there. */
  create(name: string, template: string): Promise<void>;
}

const usable = new Set(["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]);

/** Credentials of the role, from those of the caller. */
const asRole = (role: string, settings: STSClientConfig) => async () => {
  try {
    const { Credentials: given } = await new STSClient(settings).send(
      new AssumeRoleCommand({ RoleArn: role, RoleSessionName: "openemr-ops-bootstrap" }),
    );
    const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = given ?? {};
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  } catch (error) {
    throw controlPlaneFailure(error, `assuming the role ${role}`, "sts:AssumeRole");
  }
};

/** The profile that SST uses: keys in the environment win over it. */
export const profileUsed = (
  profile: string | undefined,
  { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret }: Readonly<Record<string, string | undefined>>,
): string | undefined => (key && secret ? undefined : profile);

/** Of clients that act as the one who deploys. */
export const settingsOf = ({ region, profile, role }: DeploymentPlace) => {
  const settings = { ...clientSettings, region, ...(profile ? { profile } : {}) };
  return { ...settings, ...(role ? { credentials: asRole(role, settings) } : {}) };
};

export const accountStacks = (place: DeploymentPlace): AccountStacks => {
  const settings = settingsOf(place);
  const client = new CloudFormationClient(settings);
  const describe = async (name: string) => {
    try {
      const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
      return stack;
    } catch (error) {
      if (error instanceof Error && error.name === "ValidationError" && error.message.includes("does not exist"))
        return undefined;
      throw controlPlaneFailure(error, `reading the stack ${name}`, "cloudformation:DescribeStacks");
    }
  };
  return {
    account: async () => {
      try {
        const { Account = "" } = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
        return Account;
      } catch (error) {
        throw controlPlaneFailure(error, "asking whose account this is", "sts:GetCallerIdentity");
      }
    },
    status: async (name) => (await describe(name))?.StackStatus,
    outputs: async (name) => {
      const stack = await describe(name);
      if (!stack || !usable.has(stack.StackStatus ?? "")) return undefined;
      return Object.fromEntries(
        (stack.Outputs ?? []).map(({ OutputKey = "", OutputValue = "" }) => [OutputKey, OutputValue]),
      );
    },
    create: async (name, template) => {
      try {
        await client.send(new CreateStackCommand({ StackName: name, TemplateBody: template, OnFailure: "DELETE" }));
        await waitUntilStackCreateComplete({ client, maxWaitTime: 600, minDelay: 1 }, { StackName: name });
      } catch (error) {
        throw controlPlaneFailure(error, `creating the stack ${name}`, "cloudformation:CreateStack");
      }
    },
  };
};

/** The bucket of CDK's bootstrap; undefined when it is missing, or older than SST takes. */
export const cdkBucket = async (stacks: AccountStacks): Promise<string | undefined> => {
  const { BootstrapVersion = "0", BucketName } = (await stacks.outputs(cdkStack)) ?? {};
  return Number(BootstrapVersion) >= cdkVersion ? BucketName : undefined;
};

/**
 * What SST's own bootstrap is for us: a version, and a bucket for a note about each stage. SST's has a function besides, for a
 * console that is not used, on a runtime that Lambda will not create much longer.
 *
 * @param bucket that of CDK's bootstrap
 */
export const bootstrapTemplate = (bucket: string): string =>
  JSON.stringify({
    Description: "What SST looks for before it deploys OpenEMR Ops. It has no function and costs nothing.",
    Resources: { Nothing: { Type: "AWS::CloudFormation::WaitConditionHandle" } }, // a stack has at least one resource
    Outputs: { Version: { Value: bootstrapVersion }, BucketName: { Value: bucket } },
  });

/**
 * The stack that SST uses: ours, or SST's own in an account that has it already.
 *
 * @throws {ControlPlaneMissingError} fatal: the account has neither; SST would create its own
 */
export const findBootstrap = async (stacks: AccountStacks, { region }: DeploymentPlace): Promise<string> => {
  for (const name of [bootstrapStackName, ofSst]) if (await stacks.outputs(name)) return name;
  throw new ControlPlaneMissingError(
    `there is no stack ${bootstrapStackName} in this account in ${region}; run "npm run bootstrap" once, then try again`,
  );
};
