import type { ConfigFile } from "@openemr-ops/core/config/schema";
import { DiscoveryError, InvalidInputError } from "@openemr-ops/core/errors";
import { type DiscoveryClients, discoveryClients, findCluster, findNetwork, findVpc, readOutputs } from "./lookups.ts";

type WrittenInstallation = ConfigFile["installations"][number];
type EcsPlatform = Extract<WrittenInstallation["platform"], { readonly kind: "ecs" }>;
type Network = NonNullable<EcsPlatform["network"]>;

/** Values that the stack does not have, and values that replace the stack's. */
export interface EcsOverrides extends Pick<WrittenInstallation, "id" | "dumps" | "schedules" | "url"> {
  readonly platform?: {
    readonly cluster?: string;
    readonly service?: string;
    readonly network?: Partial<Network>;
    readonly task?: EcsPlatform["task"];
  };
  /** `user` and `password`: prefer a read-only user to the stack's master user. */
  readonly database?: Partial<WrittenInstallation["database"]>;
  readonly sites?: Partial<WrittenInstallation["sites"]>;
  /** `{}`: the job that makes the database users logs in as the stack's master user. */
  readonly users?: Partial<NonNullable<WrittenInstallation["users"]>>;
}

export interface EcsDiscovery {
  /** The CloudFormation stack of github.com/openemr/openemr-on-ecs. */
  readonly stackName: string;
  /** Default: AWS's usual environment. */
  readonly region?: string;
  readonly overrides: EcsOverrides;
  /** For tests and for other credentials. */
  readonly clients?: DiscoveryClients;
}

/** Where tasks mount the sites directory. OpenEMR has it below its code, which tasks do not have. */
const sitesPath = "/mnt/openemr-sites";
/** Name of OpenEMR's schema in openemr-on-ecs. */
const schemaName = "openemr";

/** Runs a look-up once, at its first use. */
const once = <Value>(look: () => Promise<Value>): (() => Promise<Value>) => {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= look();
    return value;
  };
};

/**
 * An installation as its stack describes it, for `openemr-ops.config.ts`:
 *
 * ```ts
 * export default { installations: [await fromOpenEmrOnEcs({ stackName: "OpenemrEcsStack", overrides: { id, dumps } })] };
 * ```
 *
 * It reads the stack's outputs, the service's subnets and security groups, the database cluster with that endpoint, and the
 * VPC of the sites' file system. Values in `overrides` are not looked up. It changes nothing.
 *
 * @throws {DiscoveryError} refused: names the missing output or resource, and the override that replaces it
 * @throws {InvalidInputError} fatal: the overrides contradict one another
 * @throws {ControlPlaneAccessDeniedError} fatal: names the right that is missing
 * @throws {ControlPlaneUnavailableError} retryable
 */
export const fromOpenEmrOnEcs = async ({
  stackName,
  region,
  overrides,
  clients = discoveryClients(region),
}: EcsDiscovery): Promise<WrittenInstallation> => {
  const { platform = {}, database = {}, sites = {}, users, ...rest } = overrides;
  const ownPassword = database.password !== undefined || database.passwordFile !== undefined;
  if (ownPassword !== (database.user !== undefined)) {
    const message = "has a user without a password, or a password without a user; set both or neither";
    throw new InvalidInputError([{ path: "overrides.database", message }]);
  }
  const outputs = once(() => readOutputs(clients, stackName));

  const output = async (name: string, override: string): Promise<string> => {
    const value = (await outputs()).get(name);
    if (value !== undefined && value !== "") return value;
    throw new DiscoveryError(
      `the stack ${stackName} has no output ${name}; check that it is a stack of openemr-on-ecs, or set overrides.${override}`,
    );
  };

  const cluster = platform.cluster ?? (await output("ECSClusterName", "platform.cluster"));
  const service = platform.service ?? (await output("ECSServiceName", "platform.service"));
  const fileSystemId = sites.fileSystemId ?? (await output("EFSSitesFileSystemId", "sites.fileSystemId"));
  const host = database.host ?? (await output("DatabaseEndpoint", "database.host"));
  const url = overrides.url ?? (await output("ApplicationURL", "url"));

  const found = { ...platform.network };
  if (!found.subnetIds || !found.securityGroupIds) {
    const { subnetIds, securityGroupIds } = await findNetwork(clients, cluster, service);
    found.subnetIds ??= subnetIds;
    found.securityGroupIds ??= securityGroupIds;
  }
  const network: Network = {
    vpcId: found.vpcId ?? (await findVpc(clients, fileSystemId)),
    subnetIds: found.subnetIds,
    securityGroupIds: found.securityGroupIds,
    ...(found.endpoints ? { endpoints: found.endpoints } : {}),
  };

  const server = once(() => findCluster(clients, host));
  const user = database.user ?? (await server()).masterUser;
  return {
    ...rest,
    platform: { kind: "ecs", cluster, service, network, ...(platform.task ? { task: platform.task } : {}) },
    url,
    database: {
      ...(ownPassword ? {} : { password: await output("DatabaseSecretARN", "database.password") }),
      ...database,
      host,
      port: database.port ?? (await server()).port,
      name: database.name ?? (await server()).schema ?? schemaName,
      user,
    },
    sites: { path: sitesPath, ...sites, fileSystemId },
    ...(users
      ? { users: { administrator: users.administrator ?? (await output("DatabaseSecretARN", "users.administrator")) } }
      : {}),
  };
};
