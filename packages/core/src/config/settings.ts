import type { DestinationAddress } from "./destinationAddress.ts";
import type { SecretReference } from "./secrets.ts";

/** A configuration as the product works with it: defaults filled in, file names absolute, secrets still references. */
export interface Config {
  /** Absolute directory for locks, job records and caches. */
  readonly stateDirectory: string;
  readonly notifications: Notifications;
  readonly installations: readonly Installation[];
}

/** One hosted copy of OpenEMR: database, files, secrets. */
export interface Installation {
  /** Lower-case letters, digits and hyphens; names locks, records and objects. */
  readonly id: string;
  readonly platform: Platform;
  /** Where OpenEMR answers; `http` or `https`. */
  readonly url?: string;
  readonly database: DatabaseSettings;
  readonly sites: SitesSettings;
  readonly dumps: DumpSettings;
  readonly schedules: Schedules;
}

/** When a job starts by itself, and how late its success may be. */
export interface Schedule {
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** Of the IANA database. */
  readonly timeZone: string;
  /** The start may be put off by so many minutes; 0 is on time. */
  readonly flexibleMinutes: number;
  /** Minutes after the due time; without a success until then the job counts as overdue. */
  readonly deadlineMinutes: number;
}

export interface Schedules {
  readonly dump?: Schedule;
  readonly drill?: Schedule;
  readonly check?: Schedule & { readonly level: "objects" | "read-data" | "drill" };
}

/** Where people hear of jobs. */
export interface Notifications {
  readonly slack?:
    | { readonly kind: "webhook"; readonly webhook: SecretReference }
    /** `channel`: its identifier, such as `C0123456789`. */
    | { readonly kind: "bot"; readonly botToken: SecretReference; readonly channel: string };
}

/** Where OpenEMR's code runs. */
export type Platform =
  | {
      readonly kind: "host";
      /** Absolute directory of OpenEMR's code; lets a restore compare versions. */
      readonly codePath?: string;
    }
  | {
      readonly kind: "ecs";
      readonly cluster: string;
      readonly service: string;
      /** Where tasks run beside the service; needed to deploy, not to run. */
      readonly network?: TaskNetwork;
    }
  | { readonly kind: "kubernetes" }
  | { readonly kind: "cloudRun" };

export interface TaskNetwork {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  /** VPC endpoints are made for the tasks; not set, the VPC has its own ways to AWS. */
  readonly endpoints?: { readonly routeTableIds: readonly string[] };
}

/** `off`: plain text. `required`: encrypted, certificate not checked. `verify`: encrypted, certificate and host name checked. */
export type TlsMode = "off" | "required" | "verify";

/** A database server and someone who may log in. */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: SecretReference;
  readonly tls: TlsMode;
  /** Absolute PEM file of the authorities to trust; without it the system's. */
  readonly caFile?: string;
}

/** OpenEMR's schema, read by the dump user. */
export interface DatabaseSettings extends DatabaseServer {
  /** The schema's name. */
  readonly name: string;
  /** A user that may create schemas; the dump user when not set. */
  readonly restore: { readonly user: string; readonly password: SecretReference };
}

export interface SitesSettings {
  /** Absolute directory that holds `default/` and the other sites. */
  readonly path: string;
  /** The EFS file system that tasks mount there. */
  readonly fileSystemId?: string;
  readonly accessPointId?: string;
}

/** How many dumps to keep by period; 0 is none of that kind. At least one is above 0. */
export interface RetentionPolicy {
  readonly keepLast: number;
  readonly keepDaily: number;
  readonly keepWeekly: number;
  readonly keepMonthly: number;
  readonly keepYearly: number;
}

/** Where a restore drill may work, and as whom. Without a setting the installation's own server, its restoring user and the system's temporary directory serve. */
export interface DrillSettings {
  readonly database?: DatabaseServer;
  /** Absolute. */
  readonly directory?: string;
}

interface CommonDumpSettings {
  readonly destination: DestinationAddress;
  readonly retention: RetentionPolicy;
  /** A dump that moves no byte for this long is stopped. Seconds. */
  readonly stallSeconds: number;
  readonly drill: DrillSettings;
}

/** A restic repository. */
export interface ResticDumpSettings extends CommonDumpSettings {
  readonly format: "restic";
  /** The repository's password. */
  readonly password: SecretReference;
}

/** A manifest and plain compressed files. */
export interface PortableDumpSettings extends CommonDumpSettings {
  readonly format: "portable";
  readonly compression: "gzip" | "zstd";
  /** X25519 recipients (`age1…`); empty means not encrypted by us. */
  readonly ageRecipients: readonly string[];
  /** Absolute file with the identity that opens them; needed to restore, drill and check, not to dump. */
  readonly ageIdentityFile?: string;
  /** What manifests are sealed with, so that nobody else can pass a set off as ours; at least 32 characters. */
  readonly sealKey?: SecretReference;
}

export type DumpSettings = ResticDumpSettings | PortableDumpSettings;

/** What an OpenEMR logs in with after a restore: the values that go into `sqlconf.php`. */
export interface OpenEmrConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: SecretReference;
  /** The schema's name. */
  readonly name: string;
}
