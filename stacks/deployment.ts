import { isAbsolute } from "node:path";
import { atCopy } from "@openemr-ops/core/config/atCopy";
import type { DestinationAddress } from "@openemr-ops/core/config/destinationAddress";
import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { referencesIn } from "@openemr-ops/core/config/references";
import { type SecretReference, secretsIn } from "@openemr-ops/core/config/secrets";
import { installation, sectionNames } from "@openemr-ops/core/config/sections/installation";
import type {
  DumpSettings,
  ExportSettings,
  HealthSettings,
  Installation,
  MailSectionSettings,
  RotationSettings,
  Schedules,
  TaskNetwork,
  TaskSettings,
} from "@openemr-ops/core/config/settings";
import { type InputIssue, InvalidInputError } from "@openemr-ops/core/errors";
import { isStage, longestStage, namesOf } from "@openemr-ops/core/names";
import { clusterOfEndpoint } from "@openemr-ops/core/rdsCluster";
import { longestDeployedId } from "@openemr-ops/events/jobKinds";
import { partitionOf } from "./region.ts";

/** A secret in Secrets Manager, by its ARN. `key`: the field of a JSON secret. */
export interface DeployedSecret {
  readonly arn: string;
  readonly key?: string;
}

/** The secrets that the tasks of dumps read, by what they open. */
export interface DumpSecrets {
  readonly database: DeployedSecret;
  readonly restore: DeployedSecret;
  /** Only when drills log in to a server. */
  readonly drill?: DeployedSecret;
  /** Only when dumps are stored in a restic repository. */
  readonly repository?: DeployedSecret;
  /** Only when portable dumps are sealed. */
  readonly seal?: DeployedSecret;
  /** Only when the store has credentials of its own. */
  readonly store?: DeployedSecret;
  /** Only when deleting old dumps has other credentials than all else. */
  readonly clearing?: DeployedSecret;
}

/** Part of a bucket of AWS. */
export type DumpsBucket = Pick<Extract<DestinationAddress, { readonly kind: "s3" }>, "bucket" | "prefix" | "region">;

/** The section `dumps` of an installation. */
export interface DeployedDumps {
  readonly destination: Exclude<DestinationAddress, { readonly kind: "file" }>;
  /** The bucket that roles of AWS open. Not set: the store has credentials of its own, and no role has a right in S3 for it. */
  readonly bucket?: DumpsBucket;
  readonly format: DumpSettings["format"];
  readonly secrets: DumpSecrets;
  /** Further destinations, in the order of the configuration. */
  readonly copies: readonly Omit<DeployedDumps, "copies">[];
}

/** The section `exports` of an installation. */
export interface DeployedExports {
  readonly destination: Exclude<DestinationAddress, { readonly kind: "file" }>;
  /** The bucket that roles of AWS open. Not set: the store has credentials of its own. */
  readonly bucket?: DumpsBucket;
  /** The name of the bucket that the deployment makes. */
  readonly newBucket?: string;
  /** Jobs of Spark may read the exports. */
  readonly spark: boolean;
  /** The database of Glue where exports register their tables. Not set: they do not. */
  readonly catalogue?: string;
  /** ARN of the task of DataSync that copies files; only with engine `datasync`. */
  readonly dataSyncTask?: string;
  /** The identifier of the cluster that RDS exports; only with engine `aurora`. */
  readonly cluster?: string;
  readonly secrets: {
    readonly database: DeployedSecret;
    /** Only where pseudonyms are made. */
    readonly pseudonymKey?: DeployedSecret;
    /** Only when the store has credentials of its own. */
    readonly store?: DeployedSecret;
  };
}

/** The secrets of who makes database users, by what they open. */
export interface DeployedUsers {
  readonly administrator: DeployedSecret;
  readonly dump: DeployedSecret;
  readonly restore: DeployedSecret;
}

/** The section `rotations` of an installation: whose credentials are replaced, and the secrets in which they are kept. */
export interface DeployedRotations {
  readonly database?: { readonly slots: DeployedSecret; readonly administrator: DeployedSecret };
  readonly admin?: { readonly secret: DeployedSecret };
  /** How long a deployment of OpenEMR's service may take. */
  readonly limitSeconds?: number;
  /** ARNs of secrets; OpenEMR's service is deployed anew once one was rotated. */
  readonly whenRotated?: readonly string[];
  readonly master?: {
    readonly secret: DeployedSecret;
    /** The identifier of RDS's cluster. */
    readonly cluster: string;
    /** Secrets that are compared with it, so that nobody is locked out. */
    readonly others: readonly DeployedSecret[];
  };
  readonly smtp?: {
    readonly iamUser: string;
    /** Those that the rotation writes. */
    readonly secrets: readonly DeployedSecret[];
    /** The parameter of Systems Manager that it writes. */
    readonly parameter?: string;
  };
}

/** The part `inbound` of the section `mail`. */
export type DeployedInboundMail = MailSectionSettings["inbound"];

/** One installation with all that a deployment needs of it. */
export interface DeployedInstallation {
  readonly id: string;
  /** Name or ARN. */
  readonly cluster: string;
  /** OpenEMR's own. Name or ARN. */
  readonly service: string;
  readonly network: TaskNetwork;
  readonly task?: TaskSettings;
  readonly sites: { readonly path: string; readonly fileSystemId: string; readonly accessPointId?: string };
  readonly schedules: Schedules;
  /** The text of `OPENEMR_OPS_CONFIG_JSON`: this installation only, as it was written. */
  readonly taskConfig: string;
  /** The same with its schedules, for the task that says whether they are met. */
  readonly reportConfig: string;
  /** Only where the installation has this section. */
  readonly dumps?: DeployedDumps;
  readonly exports?: DeployedExports;
  readonly health?: HealthSettings;
  readonly users?: DeployedUsers;
  readonly rotations?: DeployedRotations;
  readonly inboundMail?: DeployedInboundMail;
}

/** Where people are notified of jobs. */
export type DeployedSlack =
  | { readonly kind: "webhook"; readonly secret: DeployedSecret }
  | { readonly kind: "bot"; readonly secret: DeployedSecret; readonly channel: string };

/** What is deployed: the configuration of one stage. */
export interface Deployment {
  readonly stage: string;
  readonly names: ReturnType<typeof namesOf>;
  /** A developer's stage: removing it deletes everything. */
  readonly removable: boolean;
  readonly installations: readonly DeployedInstallation[];
  readonly slack?: DeployedSlack;
  /** Who is notified of alarms, besides the topic's own subscribers. */
  readonly alarms: { readonly email: readonly string[]; readonly slack: boolean };
  /** Messages about installations that are not deployed, for the person who deploys. */
  readonly notes: readonly string[];
}

/** Where the stacks go. */
export interface DeploymentPlace {
  readonly region: string;
  /** Twelve digits. */
  readonly account: string;
}

/** All variables of a function are at most 4096 bytes; the others need a quarter of them. */
const mostMailSettings = 3_072;

/** A task's only writable place. */
export const taskDirectory = "/tmp";

const developerStage = /^dev-/;

const stageIssues = (stage: string): readonly InputIssue[] =>
  isStage(stage)
    ? []
    : [
        {
          path: "stage",
          message: `expected up to ${longestStage} lower-case letters and digits, a letter first, or dev- and such for a stage that may be removed; got "${stage}"`,
        },
      ];

const toSecret = (reference: SecretReference): DeployedSecret =>
  reference.kind === "aws"
    ? { arn: reference.arn, ...(reference.key === undefined ? {} : { key: reference.key }) }
    : { arn: "" };

/** Why a secret with this ARN can never be read from a region; another region of the same partition works. */
const partitionProblem = (arn: string, { region }: DeploymentPlace): string | undefined => {
  const [, own] = arn.split(":");
  const partition = partitionOf(region);
  if (partition === undefined || own === partition) return undefined;
  return `is in the partition ${own}; expected a secret of ${partition}, where ${region} is`;
};

/** Every secret of an installation, whatever its section, has to be where tasks can read it. */
const assertSecretsInAws = (installation: Installation, place: DeploymentPlace, issues: InputIssue[]): void => {
  const elsewhere = "is not in AWS; tasks read passwords from Secrets Manager: say password with the secret's ARN";
  const problems = new Map<string, string>(); // by field: who restores may be who dumps
  for (const secret of secretsIn(installation)) {
    const message = secret.kind === "aws" ? partitionProblem(secret.arn, place) : elsewhere;
    if (message !== undefined) problems.set(secret.field, message);
  }
  for (const [path, message] of problems) issues.push({ path, message });
};

/** A task starts in a cluster of its own account and region only; a name means those. */
const resourceProblem = (arn: string, { region, account }: DeploymentPlace): string | undefined => {
  if (!arn.startsWith("arn:")) return undefined;
  const [, , , itsRegion, itsAccount] = arn.split(":");
  const here = "where the tasks are deployed";
  if (itsRegion !== region) return `is in region ${itsRegion}; expected region ${region}, ${here}`;
  return itsAccount === account ? undefined : `is in account ${itsAccount}; expected account ${account}, ${here}`;
};

/** Why a bucket of this region cannot be reached; another region of the same partition works. */
const bucketProblem = (bucket: string, { region }: DeploymentPlace): string | undefined => {
  const [its, own] = [partitionOf(bucket), partitionOf(region)];
  if (its === undefined || own === undefined || its === own) return undefined;
  return `is a region of the partition ${its}; expected one of ${own}, where ${region} is`;
};

/** A drill with a server of its own logs in nowhere. */
const drillSecretOf = (server: "own" | { readonly password: SecretReference }): Pick<DumpSecrets, "drill"> =>
  server === "own" ? {} : { drill: toSecret(server.password) };

const dumpSecretsOf = ({ database }: Installation, dumps: DumpSettings): DumpSecrets => ({
  database: toSecret(database.password),
  restore: toSecret(database.restore.password),
  ...drillSecretOf(dumps.drill.database ?? database.restore),
  ...(dumps.format === "restic" ? { repository: toSecret(dumps.password) } : {}),
  ...(dumps.format === "portable" && dumps.sealKey ? { seal: toSecret(dumps.sealKey) } : {}),
  ...(dumps.credentials ? { store: toSecret(dumps.credentials) } : {}),
  ...(dumps.retentionCredentials ? { clearing: toSecret(dumps.retentionCredentials) } : {}),
});

const deployedUsers = (
  { database }: Installation,
  { administrator }: NonNullable<Installation["users"]>,
): DeployedUsers => ({
  administrator: toSecret(administrator),
  dump: toSecret(database.password),
  restore: toSecret(database.restore.password),
});

/** Part of a bucket that roles open; none where the store has credentials of its own. */
const bucketOf = (
  destination: DeployedExports["destination"],
  credentials: SecretReference | undefined,
): { readonly bucket?: DumpsBucket } => {
  if (credentials) return {};
  const { kind, bucket, prefix } = destination;
  const region = kind === "s3" ? destination.region : undefined;
  return { bucket: { bucket, prefix, ...(region === undefined ? {} : { region }) } };
};

const deployedStore = (settings: Installation, dumps: DumpSettings): Omit<DeployedDumps, "copies"> | undefined => {
  const { destination, format, credentials } = dumps;
  if (destination.kind === "file") return undefined;
  return { destination, format, secrets: dumpSecretsOf(settings, dumps), ...bucketOf(destination, credentials) };
};

/** A bucket is made once, where the stack is. */
const refuseSecondBuckets = (
  installations: readonly Installation[],
  { region }: DeploymentPlace,
  issues: InputIssue[],
): void => {
  const users = new Map<string, number>();
  for (const [index, { platform, exports }] of installations.entries()) {
    if (platform.kind !== "ecs" || exports?.destination.kind !== "s3") continue;
    const { bucket, region: its } = exports.destination;
    const path = `installations[${index}].exports.createBucket`;
    const other = users.get(bucket);
    users.set(bucket, other ?? index);
    if (!exports.createBucket) continue;
    if (other !== undefined)
      issues.push({ path, message: `makes the bucket that installations[${other}].exports has; make it there alone` });
    if (its !== undefined && its !== region)
      issues.push({ path, message: `makes a bucket in ${region}, where the stacks go; expected that exports.region` });
  }
};

const deployedExports = ({ database, exports }: Installation): DeployedExports | undefined => {
  if (!exports || exports.destination.kind === "file") return undefined;
  const { destination, credentials, pseudonymKey } = exports;
  return {
    destination,
    ...bucketOf(destination, credentials),
    ...(exports.createBucket ? { newBucket: destination.bucket } : {}),
    spark: exports.spark,
    ...(exports.database.catalogue === undefined ? {} : { catalogue: exports.database.catalogue }),
    ...(exports.sites.dataSyncTask === undefined ? {} : { dataSyncTask: exports.sites.dataSyncTask }),
    ...(exports.database.engine === "aurora" ? { cluster: clusterOfEndpoint(database.host) ?? "" } : {}),
    secrets: {
      database: toSecret(database.password),
      ...(pseudonymKey ? { pseudonymKey: toSecret(pseudonymKey) } : {}),
      ...(credentials ? { store: toSecret(credentials) } : {}),
    },
  };
};

const clusterOfMaster = ({ database }: Installation, { master }: RotationSettings): string | undefined =>
  master?.cluster ?? clusterOfEndpoint(database.restore.host);

const deployedSmtp = ({
  iamUser,
  secret,
  inStep: { secretAccessKey, userParameter },
}: NonNullable<RotationSettings["smtp"]>): NonNullable<DeployedRotations["smtp"]> => ({
  iamUser,
  secrets: [secret, ...(secretAccessKey ? [secretAccessKey] : [])].map(toSecret),
  ...(userParameter === undefined ? {} : { parameter: userParameter }),
});

const deployedRotations = (settings: Installation, rotations: RotationSettings): DeployedRotations => {
  const { database, admin, master, smtp, redeploy } = rotations;
  const { users } = settings;
  const login = database?.administrator;
  const administrator = login && toSecret("kind" in login ? login : login.password);
  const kept = master?.secret ? toSecret(master.secret) : administrator;
  return {
    ...(database && administrator ? { database: { slots: toSecret(database.slots), administrator } } : {}),
    ...(admin ? { admin: { secret: toSecret(admin.secret) } } : {}),
    ...(redeploy?.limitSeconds === undefined ? {} : { limitSeconds: redeploy.limitSeconds }),
    ...(redeploy?.whenRotated ? { whenRotated: redeploy.whenRotated } : {}),
    ...(master && kept
      ? {
          master: {
            secret: kept,
            cluster: clusterOfMaster(settings, rotations) ?? "",
            others: users ? [toSecret(users.administrator)] : [],
          },
        }
      : {}),
    ...(smtp ? { smtp: deployedSmtp(smtp) } : {}),
  };
};

/** Every store of the dumps, by its place in the configuration. */
const storesOf = (settings: Installation): readonly (readonly [field: string, dumps: DumpSettings])[] => {
  const { dumps } = settings;
  if (!dumps) return [];
  const at = (copy: number) => atCopy({ ...settings, dumps }, copy).dumps;
  return [["dumps", dumps], ...dumps.copies.map((_, index) => [`dumps.copies[${index}]`, at(index + 1)] as const)];
};

const deployedDumps = (settings: Installation): DeployedDumps | undefined => {
  const [first, ...copies] = storesOf(settings).map(([, dumps]) => deployedStore(settings, dumps));
  return first && { ...first, copies: copies.filter((copy) => copy !== undefined) };
};

/** As much of dumps or exports as says where they are kept. */
type Store = Pick<DumpSettings | ExportSettings, "destination" | "credentials">;

/** Where tasks and functions get what opens the store. The role of a task opens buckets of AWS alone. */
const storeIssue = ({ destination, credentials }: Store): InputIssue | undefined => {
  if (destination.kind === "file")
    return {
      path: "destination",
      message: "is not reached by tasks; expected s3://bucket/prefix or gs://bucket/prefix",
    };
  if (credentials) return undefined;
  const missing = "is missing; a task's role opens buckets of AWS alone: expected the ARN of a secret with";
  if (destination.kind === "gcs")
    return { path: "credentials", message: `${missing} a service account's key or an external_account` };
  if (destination.endpoint !== undefined)
    return { path: "credentials", message: `${missing} { "accessKeyId", "secretAccessKey" }` };
  return undefined;
};

const slackOf = (
  { notifications }: LoadedConfig,
  place: DeploymentPlace,
  issues: InputIssue[],
): DeployedSlack | undefined => {
  const { slack } = notifications;
  if (!slack) return undefined;
  const reference = slack.kind === "webhook" ? slack.webhook : slack.botToken;
  const problem =
    reference.kind === "aws"
      ? partitionProblem(reference.arn, place)
      : "is not in AWS; expected a secret's ARN of Secrets Manager";
  if (problem !== undefined) issues.push({ path: reference.field, message: problem });
  const secret = toSecret(reference);
  return slack.kind === "webhook" ? { kind: "webhook", secret } : { kind: "bot", secret, channel: slack.channel };
};

/** A file that has to be read when the task starts is named as the task's container has it. */
const refuseRelativeFiles = ({ written }: LoadedConfig, index: number, issues: InputIssue[]): void => {
  const message = "is a relative name; expected where the file lies in the task's container";
  for (const { text, field, reference } of referencesIn(installation.schema, written.installations[index], [
    "installations",
    index,
  ])) {
    const known = issues.some(({ path }) => path === field);
    if (reference.kind === "file" && reference.content && !isAbsolute(text) && !known)
      issues.push({ path: field, message });
  }
};

/**
 * What a task gets of the configuration: names of files on the deploying machine mean nothing there, and neither do schedules,
 * whose changes would make new revisions of task definitions. Only a report shows whether schedules are met.
 */
const taskConfigsOf = (
  { written }: LoadedConfig,
  index: number,
  { sites }: Installation,
): Pick<DeployedInstallation, "taskConfig" | "reportConfig"> => {
  const installation = written.installations[index];
  if (!installation) throw new TypeError("a configuration is resolved installation by installation");
  const { schedules, ...used } = installation;
  const configOf = (more: object): string =>
    JSON.stringify({
      stateDirectory: `${taskDirectory}/openemr-ops`,
      installations: [{ ...used, ...more, sites: { ...installation.sites, path: sites.path } }],
    });
  return { taskConfig: configOf({}), reportConfig: configOf(schedules ? { schedules } : {}) };
};

/** A function's variables have 4096 bytes together; two functions get all identifiers in one. */
const longestList = 3500;

const refuseTooMany = (ids: readonly string[], issues: InputIssue[]): void => {
  const { length } = ids.join(",");
  if (length <= longestList) return;
  const message = `have identifiers of ${length} characters together, and ${longestList} fit; use shorter ones, or deploy two stages`;
  issues.push({ path: "installations", message });
};

const endpointsOf = ({ platform }: Installation) => (platform.kind === "ecs" ? platform.network?.endpoints : undefined);

/** Of a VPC's installations one makes the interfaces: the names of AWS's services can point to one of each alone. */
const refuseSecondInterfaces = (installations: readonly Installation[], issues: InputIssue[]): void => {
  const first = new Map<string, number>();
  for (const [index, one] of installations.entries()) {
    if (one.platform.kind !== "ecs" || !one.platform.network) continue;
    const { vpcId, endpoints } = one.platform.network;
    const field = endpoints?.interface ? "interface" : endpoints?.routeTableIds ? "routeTableIds" : undefined;
    if (field === undefined) continue;
    const earlier = first.get(vpcId);
    first.set(vpcId, earlier ?? index);
    if (earlier === undefined) continue;
    const path = `installations[${index}].platform.network.endpoints.${field}`;
    issues.push({ path, message: `are those of installations[${earlier}], which is in the same VPC; leave them out` });
  }
};

const endpointNotes = (installations: readonly Installation[]): readonly string[] =>
  installations.flatMap((one, index) => {
    const endpoints = endpointsOf(one);
    return [
      ...(endpoints?.routeTableIds
        ? [
            `installations[${index}].platform.network.endpoints.routeTableIds: the interfaces admit the tasks alone, and other workloads of the VPC lose these services of AWS; set gateway and interface instead`,
          ]
        : []),
      ...((endpoints?.interface ?? endpoints?.routeTableIds) && one.rotations?.smtp
        ? [
            `installations[${index}].rotations.smtp: no endpoint of the VPC reaches IAM and the SMTP server; the tasks' subnets also need a route to them, such as NAT`,
          ]
        : []),
    ];
  });

/** Undefined when fields are missing. Each one is added to `issues`, so that one run reports all of them. */
const deployedInstallation = (
  config: LoadedConfig,
  index: number,
  settings: Installation,
  { stage, place }: { readonly stage: string; readonly place: DeploymentPlace },
  issues: InputIssue[],
): DeployedInstallation | undefined => {
  const at = `installations[${index}]`;
  const before = issues.length;
  const { id, platform, sites, dumps, exports, health, users, rotations, mail, schedules } = settings;
  const refuse = (path: string, message: string) => issues.push({ path: `${at}.${path}`, message });

  if (platform.kind !== "ecs") return undefined;
  for (const name of ["cluster", "service"] as const) {
    const problem = resourceProblem(platform[name], place);
    if (problem !== undefined) refuse(`platform.${name}`, problem);
  }
  assertSecretsInAws(settings, place, issues);
  const longest = longestDeployedId(
    stage,
    sectionNames.filter((name) => settings[name] !== undefined),
  );
  if (isStage(stage) && id.length > longest)
    refuse("id", `is longer than the ${longest} characters that leave room in AWS's names`);
  if (!platform.network)
    refuse("platform.network", "is missing; expected vpcId, subnetIds and securityGroupIds, where tasks run");
  if (sites.fileSystemId === undefined)
    refuse("sites.fileSystemId", "is missing; expected the EFS file system that holds the sites directory");
  const stores: readonly (readonly [field: string, store: Store])[] = [
    ...storesOf(settings),
    ...(exports ? [["exports", exports] as const] : []),
  ];
  for (const [field, store] of stores) {
    const issue = storeIssue(store);
    if (issue) refuse(`${field}.${issue.path}`, issue.message);
    const { region, endpoint } = store.destination.kind === "s3" ? store.destination : {};
    const opensByRole = region !== undefined && endpoint === undefined && !store.credentials;
    const bucket = opensByRole ? bucketProblem(region, place) : undefined;
    if (bucket !== undefined) refuse(`${field}.region`, bucket);
  }
  const { region: readFrom } = exports?.destination.kind === "s3" ? exports.destination : {};
  if (exports?.spark && readFrom !== undefined && readFrom !== place.region)
    refuse(
      "exports.spark",
      `reads a bucket in ${readFrom}, and jobs in ${place.region} reach no other region; expected exports.region ${place.region}`,
    );
  const task = exports?.sites.dataSyncTask;
  const taskProblem = task === undefined ? undefined : resourceProblem(task, place);
  if (taskProblem !== undefined) refuse("exports.sites.dataSyncTask", taskProblem);
  if (exports?.database.engine === "aurora" && clusterOfEndpoint(settings.database.host) === undefined)
    refuse(
      "database.host",
      'is no endpoint of a cluster, which engine "aurora" exports; expected …cluster-….rds.amazonaws.com',
    );
  if (dumps?.format === "portable" && dumps.ageIdentityFile !== undefined)
    refuse("dumps.ageIdentityFile", "is a file, which a task does not have; restore such dumps by hand");
  if (health?.caFile !== undefined)
    refuse(
      "health.caFile",
      'is a file, which a function does not have; say tls "required", or use a trusted certificate',
    );
  for (const [at, arn] of (rotations?.redeploy?.whenRotated ?? []).entries()) {
    const problem = resourceProblem(arn, place);
    if (problem !== undefined) refuse(`rotations.redeploy.whenRotated[${at}]`, problem);
  }
  if (rotations?.master && clusterOfMaster(settings, rotations) === undefined)
    refuse(
      "rotations.master.cluster",
      "is missing, and the database's host is no endpoint of a cluster; expected the identifier of RDS's cluster",
    );
  if (mail && mail.inbound.region !== place.region)
    refuse(
      "mail.inbound.region",
      `is not where the stacks go; SES calls functions of its own region: expected ${place.region}`,
    );
  if (mail && (partitionOf(place.region) ?? "aws") !== "aws")
    refuse("mail", `is for regions where SES receives mail; it does not in ${place.region}`);
  if (mail && exports?.destination.kind === "s3" && exports.destination.bucket === mail.inbound.bucket)
    refuse("mail.inbound.bucket", "is the bucket of exports; expected one that only mail has");
  if (mail && Buffer.byteLength(JSON.stringify(mail.inbound)) > mostMailSettings)
    refuse(
      "mail.inbound.routes",
      `is longer than the ${mostMailSettings} bytes that a function's variables have room for`,
    );
  refuseRelativeFiles(config, index, issues);

  if (issues.length > before || !platform.network || sites.fileSystemId === undefined) return undefined;
  const { fileSystemId, accessPointId, path } = sites;
  const deployed = deployedDumps(settings);
  const exported = deployedExports(settings);
  return {
    id,
    cluster: platform.cluster,
    service: platform.service,
    network: platform.network,
    ...(platform.task ? { task: platform.task } : {}),
    sites: { path, fileSystemId, ...(accessPointId === undefined ? {} : { accessPointId }) },
    schedules,
    ...taskConfigsOf(config, index, settings),
    ...(deployed ? { dumps: deployed } : {}),
    ...(exported ? { exports: exported } : {}),
    ...(health ? { health } : {}),
    ...(users ? { users: deployedUsers(settings, users) } : {}),
    ...(rotations ? { rotations: deployedRotations(settings, rotations) } : {}),
    ...(mail ? { inboundMail: mail.inbound } : {}),
  };
};

/**
 * Decides what a stage of this configuration deploys. Installations that do not run in ECS are left out, with a note.
 *
 * @throws {InvalidInputError} fatal: names every field that a deployment needs and that is missing or not usable in AWS
 */
export const deploymentOf = (config: LoadedConfig, stage: string, place: DeploymentPlace): Deployment => {
  const issues: InputIssue[] = [...stageIssues(stage)];
  const notes: string[] = [];
  const installations = config.installations.flatMap((installation, index) => {
    if (installation.platform.kind !== "ecs") {
      notes.push(
        `${installation.id} is left out: its platform is ${installation.platform.kind}, and only ecs is deployed`,
      );
      return [];
    }
    return deployedInstallation(config, index, installation, { stage, place }, issues) ?? [];
  });
  if (!config.installations.some(({ platform }) => platform.kind === "ecs"))
    issues.push({ path: "installations", message: "holds none with platform.kind ecs; there is nothing to deploy" });
  refuseSecondInterfaces(config.installations, issues);
  refuseSecondBuckets(config.installations, place, issues);
  refuseTooMany(
    installations.map(({ id }) => id),
    issues,
  );
  notes.push(...endpointNotes(config.installations));
  const { alarms } = config.notifications;
  const slack = slackOf(config, place, issues);
  if (issues.length > 0) throw new InvalidInputError(issues);
  return {
    stage,
    names: namesOf(stage),
    removable: developerStage.test(stage),
    installations,
    ...(slack ? { slack } : {}),
    alarms: { email: alarms?.email ?? [], slack: alarms?.slack ?? slack !== undefined },
    notes,
  };
};
