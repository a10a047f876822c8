import type { DatabaseAccess } from "@openemr-ops/database/access";

/** What schedules the jobs, and where its files go. */
export interface ScheduleRequest {
  readonly by: "systemd" | "cron";
  /** The system's root directory; another one is that of an image, where no program is started. */
  readonly root: string;
  /** Absolute path of the command `openemr-ops`. */
  readonly program: string;
  /** Who gets a mail when a job fails; not set: root with cron, nobody with systemd. */
  readonly mailTo?: string | undefined;
}

/** Who may make database users. Without a socket: by TCP, with the password. */
export interface SetUpAdministrator {
  readonly user: string;
  readonly socket?: string | undefined;
  readonly password: () => Promise<string>;
}

/** What a machine shall be set up with. Its fields are named in errors. */
export interface SetUpRequest {
  /** Where the configuration goes. Absolute, as all directories here. */
  readonly directory: string;
  readonly installation: string;
  /** OpenEMR's sites directory; not set, where it usually is. */
  readonly sites?: string | undefined;
  /** A URL. */
  readonly destination: string;
  readonly state: string;
  /** Not set: as in `sqlconf.php`. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Not set: the strictest that works. */
  readonly tls?: DatabaseAccess["tls"] | undefined;
  readonly caFile?: string | undefined;
  readonly administrator?: SetUpAdministrator | undefined;
  readonly schedule?: ScheduleRequest | undefined;
}
