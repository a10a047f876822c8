import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@openemr-ops/core/config/load";
import type { ConfigFile } from "@openemr-ops/core/config/schema";
import { namesOf } from "@openemr-ops/core/names";
import { jobKinds, type WorkflowKind } from "@openemr-ops/events/jobKinds";
import { buildEstate, type Estate } from "@openemr-ops/local/estate/buildEstate";
import type { EstateSizeChoice } from "@openemr-ops/local/estate/size";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { type OpenEmrPages, startOpenEmrPages } from "@openemr-ops/local/servers/openEmrPages";
import { type SesSmtpServer, startSesSmtp } from "@openemr-ops/local/servers/sesSmtp";
import { type SlackServer, startSlackServer } from "@openemr-ops/local/servers/slack";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import { synthesize } from "@openemr-ops/stacks/synthesize";
import { readServerAsCluster } from "./clusterFiles.ts";
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from "./startLocalCloud.ts";

export const hospitalStage = "dev-local";
const region = "us-east-1";
const account = "123456789012";
const bucket = "dumps-of-hospitals";
const masterPassword = "only the first password of the master";
export const repositoryPassword = "only for a hospital on this machine";

/** OpenEMR's login at an SMTP server: the server, and the IAM user whose keys open it. */
export interface HospitalMail {
  readonly server: SesSmtpServer;
  /** PEM file of the authority that signed its certificate. */
  readonly caFile: string;
  readonly iamUser: string;
  /** Of Systems Manager, with the key's identifier. */
  readonly parameter: string;
}

/** A miniature hospital in a local cloud: what an account with OpenEMR in ECS and this product would hold. */
export interface HospitalCloud extends AsyncDisposable {
  readonly cloud: LocalCloud;
  readonly slack: SlackServer;
  readonly server: MariaDb;
  /** What answers in OpenEMR's place; the demo's database is real. */
  readonly openEmr: OpenEmrPages;
  /** Only where its SMTP login is rotated. */
  readonly mail?: HospitalMail;
  /** The first installation's hospital; the others share it, each with dumps of its own. */
  readonly estate: Estate;
  readonly installations: readonly string[];
  /** The configuration's file, as an operator has it. */
  readonly config: string;
  /** For `openemr-ops`: a person's rights in the local cloud. */
  environment(): Record<string, string>;
  /** Name of a workflow of an installation. */
  machine(kind: WorkflowKind, installation?: string): string;
}

export interface HospitalCloudOptions {
  /** Everything is made below it; whoever gave it removes it. */
  readonly directory: string;
  /** `clinic-a` when not said. */
  readonly installations?: readonly string[];
  readonly size?: EstateSizeChoice;
  /** Told what is done, a line each. */
  readonly say?: (line: string) => void;
  /** Changes of the section `dumps` of an installation, such as another store. */
  readonly dumps?: (id: string) => Partial<NonNullable<ConfigFile["installations"][number]["dumps"]>>;
  /** The section `exports` of an installation; none when not said. */
  readonly exports?: (id: string) => NonNullable<ConfigFile["installations"][number]["exports"]>;
  /** The endpoint of a cluster that the database is said to be; RDS exports it. */
  readonly cluster?: string;
  /** The database users are still to be made: their secrets are empty. */
  readonly usersToMake?: boolean;
  /** OpenEMR's credentials are rotated; the secrets for them are empty. */
  readonly rotations?: boolean;
  /** OpenEMR's login at an SMTP server is rotated too; the IAM user has one key, and OpenEMR has no login of it yet. */
  readonly mail?: { readonly soakMinutes: number; readonly settleSeconds?: number };
  readonly cloud?: Pick<
    LocalCloudOptions,
    "containers" | "heartbeatScale" | "retryScale" | "taskCommand" | "waitScale"
  >;
  /** Changes of what containers get, by the variables they would get. */
  readonly taskEnvironment?: (environment: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
  /** The same for functions. */
  readonly functionEnvironment?: (environment: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;
}

/** Of the database's server, as if RDS ran it. */
const masterOfCluster = { cluster: "clinics", user: "rds_master" };

const secretArn = (name: string): string => `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;

type SmtpSection = Omit<
  NonNullable<NonNullable<ConfigFile["installations"][number]["rotations"]>["smtp"]>,
  "secret" | "inStep"
>;

const iamUser = "ses-smtp-user";
const smtpParameter = "smtp_user";
const smtpSecretsOf = (id: string) => ({
  secret: secretArn(`${id}/smtp-AbCdEf`),
  inStep: { secretAccessKey: secretArn(`${id}/secret-access-key-AbCdEf`), userParameter: smtpParameter },
});

const installationOf = (
  id: string,
  server: MariaDb,
  estate: Estate,
  {
    drills,
    url,
    dumps,
    exports,
    cluster,
    usersToMake,
    rotations,
    smtp,
  }: {
    readonly drills: string;
    readonly url: string;
    readonly dumps: object;
    readonly exports: NonNullable<ConfigFile["installations"][number]["exports"]> | undefined;
    readonly cluster: string | undefined;
    readonly usersToMake: boolean;
    readonly rotations: boolean;
    readonly smtp: SmtpSection | undefined;
  },
): ConfigFile["installations"][number] => ({
  id,
  platform: {
    kind: "ecs",
    cluster: "openemr",
    service: "openemr",
    network: {
      vpcId: "vpc-0123456789abcdef0",
      subnetIds: ["subnet-0123456789abcdef0"],
      securityGroupIds: ["sg-0123456789abcdef0"],
    },
  },
  database: {
    host: cluster ?? server.host,
    port: server.port,
    name: estate.database.name,
    tls: "off",
    user: usersToMake ? "openemr_dump" : estate.dumpLogin.user,
    password: secretArn(`${id}/dump-AbCdEf`),
    restore: { user: usersToMake ? "openemr_restore" : server.user, password: secretArn(`${id}/restore-AbCdEf`) },
  },
  sites: { path: estate.sitesPath, fileSystemId: "fs-0123456789abcdef0" },
  dumps: {
    destination: `s3://${bucket}/${id}`,
    region,
    pathStyle: true,
    password: secretArn(`${id}/repository-AbCdEf`),
    retention: { keepDaily: 7, keepWeekly: 5, keepMonthly: 12 },
    drill: { directory: join(drills, id) },
    ...dumps,
  },
  health: { url },
  ...(exports ? { exports } : {}),
  ...(usersToMake ? { users: { administrator: secretArn(`${id}/administrator-AbCdEf`) } } : {}),
  ...(rotations
    ? {
        rotations: {
          database: {
            slots: secretArn(`${id}/slots-AbCdEf`),
            administrator: secretArn(`${id}/administrator-AbCdEf`),
            settleSeconds: 0, // what answers in OpenEMR's place keeps nothing
          },
          admin: { secret: secretArn(`${id}/openemr-admin-AbCdEf`), user: "admin" },
          master: { secret: secretArn(`${id}/master-AbCdEf`), cluster: masterOfCluster.cluster },
          ...(smtp ? { smtp: { ...smtp, ...smtpSecretsOf(id) } } : {}),
          redeploy: { limitSeconds: 600, whenRotated: [secretArn(`${id}/redis`)] },
        },
      }
    : {}),
  schedules: {
    dump: { cron: "30 4 * * *", timeZone: "Europe/Berlin", deadlineMinutes: 240 },
    drill: { cron: "0 4 * * 0", timeZone: "Europe/Berlin", deadlineMinutes: 720 },
    check: { cron: "0 5 * * 3", timeZone: "Europe/Berlin", deadlineMinutes: 720 },
    health: { cron: "0 * * * *", deadlineMinutes: 90 },
    report: { cron: "45 6 * * *", timeZone: "Europe/Berlin" },
    ...(rotations ? { rotateDatabase: { cron: "0 3 1 * *", timeZone: "Europe/Berlin", flexibleMinutes: 60 } } : {}),
    ...(smtp ? { rotateSmtp: { cron: "0 3 2 * *", deadlineMinutes: 2880 } } : {}),
  },
});

/** In AWS the bucket is where its region says; here the local cloud answers for it. Others have a server or Google. */
const withEndpoint = (configText: string, endpoint: string): string => {
  const config = JSON.parse(configText) as ConfigFile;
  return JSON.stringify({
    ...config,
    installations: config.installations.map((one) => {
      const here = <Store extends { readonly credentials?: unknown }>(store: Store): Store =>
        store.credentials ? store : { ...store, endpoint };
      const { copies = [], ...dumps } = one.dumps ?? {};
      const { createBucket: _, spark: __, ...exported } = one.exports ?? {};
      // RDS writes to AWS's own buckets alone, so a configuration that asks it names no server: the environment does.
      const byRds = one.exports?.database?.engine === "aurora";
      const exports = one.exports ? { exports: byRds ? exported : here(exported) } : {};
      return { ...one, ...exports, dumps: { ...here(dumps), copies: copies.map(here) } };
    }),
  });
};

/** The same for what a function has of the copies. */
const copiesWithEndpoint = (copies: string, endpoint: string): string => {
  const stores = JSON.parse(copies) as readonly { readonly destination: object; readonly secret?: unknown }[];
  return JSON.stringify(
    stores.map((store) =>
      store.secret ? store : { ...store, destination: { ...store.destination, endpoint, pathStyle: true } },
    ),
  );
};

/**
 * Starts a database server, builds the hospital, synthesises the stacks for it and runs them in the local cloud, with a
 * receiver in Slack's place.
 */
export const startHospitalCloud = async (options: HospitalCloudOptions): Promise<HospitalCloud> => {
  const { directory, installations = ["clinic-a"], size = "small", usersToMake = false, say = () => {} } = options;
  const { mail, rotations = mail !== undefined } = options;
  await using started = new AsyncDisposableStack();
  const at = (name: string) => join(directory, name);
  await mkdir(at("estate"), { recursive: true });

  say("starting a database server and building a miniature hospital (synthetic data, seed 42)");
  const server = await startMariaDb({ directory: at("server") });
  started.defer(() => server.stop());
  const { host, port, user, password } = server;
  const database = { host, port, user, password, name: "openemr" };
  const openEmr = started.use(await startOpenEmrPages());
  const estate = await buildEstate({ directory: at("estate"), database, seed: "42", size });

  let smtpKeys: () => ReturnType<LocalCloud["accessKeys"]> = async () => [];
  const tls = mail && makeTlsMaterial(at("smtp"));
  const smtpServer = tls && started.use(await startSesSmtp({ tls, region, keys: () => smtpKeys() }));
  const smtp: SmtpSection | undefined = mail &&
    smtpServer && {
      iamUser,
      region,
      server: { host: "127.0.0.1", port: smtpServer.startTlsPort, tls: "starttls", caFile: tls.caFile },
      testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
      ...mail,
    };

  const config: ConfigFile = {
    notifications: { slack: { botToken: secretArn("openemr-ops/slack-AbCdEf"), channel: "C0123456789" } },
    installations: installations.map((id) =>
      installationOf(id, server, estate, {
        drills: at("drills"),
        url: openEmr.url,
        dumps: options.dumps?.(id) ?? {},
        exports: options.exports?.(id),
        cluster: options.cluster,
        usersToMake,
        rotations,
        smtp,
      }),
    ) as ConfigFile["installations"],
  };
  const file = at("openemr-ops.config.json");
  await writeFile(file, JSON.stringify(config, null, 2));

  say("synthesising the stacks, as a deployment would");
  const { directory: assembly } = await synthesize({
    config: await loadConfig(file),
    stage: hospitalStage,
    region,
    account,
    outdir: at("assembly"),
    imageUri: `${account}.dkr.ecr.${region}.amazonaws.com/openemr-ops@sha256:${"0".repeat(64)}`,
  });

  say("starting a cloud on this machine that runs them");
  const slack = started.use(await startSlackServer());
  let endpoint = "";
  const cloud = started.use(
    await startLocalCloud({
      assembly,
      directory: at("cloud"),
      ...(options.cluster ? { readCluster: readServerAsCluster({ host, port, user, password }, at("server")) } : {}),
      ...(rotations
        ? {
            clusterMaster: {
              ...masterOfCluster,
              setPassword: async (text) => void (await server.query("ALTER USER rds_master IDENTIFIED BY ?", [text])),
            },
          }
        : {}),
      ...options.cloud,
      taskEnvironment: (environment) => {
        const { OPENEMR_OPS_CONFIG_JSON: text = "{}" } = environment;
        const local = { OPENEMR_OPS_CONFIG_JSON: withEndpoint(text, endpoint) };
        return { ...local, ...options.taskEnvironment?.({ ...environment, ...local }) };
      },
      functionEnvironment: (environment) => {
        const { OPENEMR_OPS_DESTINATION: destination, OPENEMR_OPS_STORE_SECRET: secret } = environment;
        const { OPENEMR_OPS_COPIES: copies } = environment;
        return {
          OPENEMR_OPS_SLACK_API: slack.api,
          ...(destination === undefined || secret !== undefined
            ? {}
            : { OPENEMR_OPS_DESTINATION: JSON.stringify({ ...JSON.parse(destination), endpoint }) }),
          ...(copies === undefined ? {} : { OPENEMR_OPS_COPIES: copiesWithEndpoint(copies, endpoint) }),
          ...options.functionEnvironment?.(environment),
        };
      },
    }),
  );
  endpoint = cloud.endpoint;
  const buckets = config.installations.flatMap(({ exports }) =>
    exports && !exports.createBucket ? (exports.destination.split("/")[2] ?? []) : [],
  );
  for (const name of new Set([bucket, ...buckets])) await fetch(`${cloud.moto}/${name}`, { method: "PUT" });
  cloud.putEcsService("openemr/openemr", 1);
  await cloud.putSecret("openemr-ops/slack", slack.token);
  for (const id of installations) {
    await cloud.putSecret(`${id}/dump`, usersToMake ? undefined : estate.dumpLogin.password);
    await cloud.putSecret(`${id}/restore`, usersToMake ? undefined : password);
    if (rotations) {
      for (const name of ["slots", "openemr-admin"]) await cloud.putSecret(`${id}/${name}`);
      await cloud.putSecret(
        `${id}/master`,
        JSON.stringify({ username: masterOfCluster.user, password: masterPassword }),
      );
    }
    if (mail) for (const name of ["smtp", "secret-access-key"]) await cloud.putSecret(`${id}/${name}`);
    if (usersToMake || rotations)
      await cloud.putSecret(
        `${id}/administrator`,
        JSON.stringify({ engine: "mysql", host, port, username: user, password }),
      );
    await cloud.putSecret(`${id}/repository`, repositoryPassword);
  }

  if (rotations) {
    await server.query("CREATE USER rds_master IDENTIFIED BY ?", [masterPassword]);
    await server.query("GRANT ALL PRIVILEGES ON *.* TO rds_master WITH GRANT OPTION");
  }
  if (mail) {
    await cloud.putParameter(smtpParameter, await cloud.putIamUser(iamUser));
    smtpKeys = () => cloud.accessKeys(iamUser);
  }

  const names = namesOf(hospitalStage);
  const running = started.move();
  return {
    cloud,
    slack,
    server,
    openEmr,
    ...(smtpServer ? { mail: { server: smtpServer, caFile: tls.caFile, iamUser, parameter: smtpParameter } } : {}),
    estate,
    installations,
    config: file,
    environment: () => ({ ...cloud.environment(), OPENEMR_OPS_STAGE: hospitalStage }),
    machine: (kind, installation = installations[0] ?? "") => names.stateMachine(installation, jobKinds[kind].workflow),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
};
