import { resolve } from "node:path";
import { type DestinationAddress, endpointOrigin, parseDestinationUrl } from "./destinationAddress.ts";
import { environmentReference, secretReference } from "./fields.ts";
import type { ParsedConfig, ParsedConnection } from "./schema.ts";
import type { SecretReference } from "./secrets.ts";
import type {
  Config,
  DatabaseServer,
  DumpSettings,
  Installation,
  Notifications,
  OpenEmrConnection,
  Platform,
  SitesSettings,
} from "./settings.ts";

type ParsedInstallation = ParsedConfig["installations"][number];
type ParsedDatabase = ParsedInstallation["database"];
type ParsedServer = Omit<ParsedDatabase, "name" | "restore">;
type ParsedDrillServer = NonNullable<NonNullable<ParsedInstallation["dumps"]["drill"]>["database"]>;

interface ParsedSecret {
  readonly password?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** Reads a setting's text as a reference. A file's name is taken relative to `directory`. */
export const toSecretReference = (text: string, field: string, directory: string): SecretReference => {
  const [, variable] = environmentReference.exec(text) ?? [];
  if (variable !== undefined) return { kind: "environment", name: variable, field };
  const [, arn, key] = secretReference.exec(text) ?? [];
  if (arn !== undefined) return { kind: "aws", arn, field, ...(key === undefined ? {} : { key }) };
  return { kind: "file", path: resolve(directory, text), field };
};

const resolveSecret = (settings: ParsedSecret, field: string, directory: string): SecretReference => {
  const name = settings.password === undefined ? "passwordFile" : "password";
  return toSecretReference(settings[name] ?? "", field ? `${field}.${name}` : name, directory);
};

const resolveServer = (settings: ParsedServer, field: string, directory: string): DatabaseServer => ({
  host: settings.host,
  port: settings.port,
  user: settings.user,
  password: resolveSecret(settings, field, directory),
  tls: settings.tls ?? (settings.caFile === undefined ? "required" : "verify"),
  ...(settings.caFile === undefined ? {} : { caFile: resolve(directory, settings.caFile) }),
});

/** A user for drills; without a host of its own on the installation's server. */
const drillServerOf = ({ host, port, ...rest }: ParsedDrillServer, { host: theirs, ...server }: ParsedServer) =>
  host === undefined
    ? { host: theirs, port: port ?? server.port, tls: server.tls, caFile: server.caFile, ...given(rest) }
    : { host, port: port ?? 3306, ...rest };

const resolvePlatform = (platform: ParsedInstallation["platform"], directory: string): Platform => {
  if (platform.kind === "ecs") {
    const { network, ...rest } = platform;
    return network === undefined ? rest : { ...rest, network: given(network) };
  }
  if (platform.kind !== "host") return platform;
  return platform.codePath === undefined
    ? { kind: "host" }
    : { kind: "host", codePath: resolve(directory, platform.codePath) };
};

const resolveDestination = (settings: ParsedInstallation["dumps"]): DestinationAddress => {
  const parsed = parseDestinationUrl(settings.destination);
  if ("problem" in parsed) throw new TypeError("the schema lets only valid destinations pass");
  const { address } = parsed;
  if (address.kind === "file") return { kind: "file", directory: address.directory };
  if (address.kind === "gcs") return { kind: "gcs", bucket: address.bucket, prefix: address.prefix };
  const endpoint = settings.endpoint === undefined ? undefined : endpointOrigin(settings.endpoint);
  const region = settings.region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    kind: "s3",
    bucket: address.bucket,
    prefix: address.prefix,
    pathStyle: settings.pathStyle ?? endpoint !== undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  };
};

const resolveDumps = (
  { dumps: settings, database }: ParsedInstallation,
  field: string,
  directory: string,
): DumpSettings => {
  const { drill } = settings;
  const common = {
    destination: resolveDestination(settings),
    retention: settings.retention,
    stallSeconds: settings.stallSeconds,
    drill: {
      ...(drill?.database
        ? { database: resolveServer(drillServerOf(drill.database, database), `${field}.drill.database`, directory) }
        : {}),
      ...(drill?.directory === undefined ? {} : { directory: resolve(directory, drill.directory) }),
    },
  };
  return settings.format === "restic"
    ? { format: "restic", ...common, password: resolveSecret(settings, field, directory) }
    : {
        format: "portable",
        ...common,
        compression: settings.compression ?? "zstd",
        ageRecipients: settings.ageRecipients ?? [],
        ...(settings.ageIdentityFile === undefined
          ? {}
          : { ageIdentityFile: resolve(directory, settings.ageIdentityFile) }),
        ...(settings.sealKeyFile === undefined
          ? {}
          : { sealKey: toSecretReference(settings.sealKeyFile, `${field}.sealKeyFile`, directory) }),
      };
};

/** The same without the names that are not set. */
const given = <Settings extends object>(settings: Settings) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Settings]: Exclude<Settings[Name], undefined>;
  };

const resolveSites = ({ path, ...efs }: ParsedInstallation["sites"], directory: string): SitesSettings => ({
  path: resolve(directory, path),
  ...given(efs),
});

const resolveNotifications = (settings: ParsedConfig["notifications"], directory: string): Notifications => {
  const slack = settings?.slack;
  const reference = (name: "botToken" | "webhook") =>
    toSecretReference(slack?.[name] ?? "", `notifications.slack.${name}`, directory);
  if (slack?.webhook !== undefined) return { slack: { kind: "webhook", webhook: reference("webhook") } };
  if (slack?.channel === undefined) return {};
  return { slack: { kind: "bot", botToken: reference("botToken"), channel: slack.channel } };
};

const resolveInstallation = (settings: ParsedInstallation, field: string, directory: string): Installation => {
  const database = resolveServer(settings.database, `${field}.database`, directory);
  const { restore } = settings.database;
  return {
    id: settings.id,
    platform: resolvePlatform(settings.platform, directory),
    ...(settings.url === undefined ? {} : { url: settings.url }),
    database: {
      ...database,
      name: settings.database.name,
      restore: restore
        ? { user: restore.user, password: resolveSecret(restore, `${field}.database.restore`, directory) }
        : { user: database.user, password: database.password },
    },
    sites: resolveSites(settings.sites, directory),
    dumps: resolveDumps(settings, `${field}.dumps`, directory),
    schedules: given(settings.schedules ?? {}),
  };
};

/** Fills in defaults that depend on other settings and makes every file name absolute, relative ones from `directory`. */
export const resolveConfig = (config: ParsedConfig, directory: string): Config => ({
  stateDirectory: resolve(directory, config.stateDirectory ?? ".openemr-ops"),
  notifications: resolveNotifications(config.notifications, directory),
  installations: config.installations.map((settings, index) =>
    resolveInstallation(settings, `installations[${index}]`, directory),
  ),
});

/** The same for a connection file. */
export const resolveConnection = (settings: ParsedConnection, directory: string): OpenEmrConnection => ({
  host: settings.host,
  port: settings.port,
  name: settings.name,
  user: settings.user,
  password: resolveSecret(settings, "", directory),
});
