import type { JobName } from "./jobNames.ts";
import type { connection } from "./sections/connection.ts";
import type { Installation, SectionName } from "./sections/installation.ts";
import type { notifications } from "./sections/notifications.ts";

export type { Installation, SectionName } from "./sections/installation.ts";
export type { DatabaseServer } from "./sections/server.ts";

/** A configuration as the product works with it: defaults filled in, file names absolute, secrets still references. */
export interface Config {
  /** Absolute directory for locks, job records and caches. */
  readonly stateDirectory: string;
  /** Absolute. Where jobs that no workflow runs keep their metrics; not set, nowhere. */
  readonly metricsFile?: string | undefined;
  readonly notifications: ReturnType<typeof notifications.settle>;
  readonly installations: readonly Installation[];
}

/** As much of it as says how people are notified. */
export type NotificationSettings = Pick<Config, "stateDirectory" | "notifications">;

/** A program that the configuration attaches to a job. */
export type HookSettings = NonNullable<NonNullable<NonNullable<Installation["hooks"]>[JobName]>["before"]>;

/** An installation that has this section. */
export type InstallationWith<Name extends SectionName> = Installation & {
  readonly [Section in Name]-?: NonNullable<Installation[Section]>;
};

export type DatabaseSettings = Installation["database"];
export type DumpSettings = NonNullable<Installation["dumps"]>;
/** What a copy has of its own. */
export type CopySettings = DumpSettings["copies"][number];
export type DrillSettings = DumpSettings["drill"];
export type ExportSettings = NonNullable<Installation["exports"]>;
export type HealthSettings = NonNullable<Installation["health"]>;
export type MailSectionSettings = NonNullable<Installation["mail"]>;
export type RotationSettings = NonNullable<Installation["rotations"]>;
export type RetentionPolicy = DumpSettings["retention"];

export type Schedules = Installation["schedules"];
export type Schedule = NonNullable<Schedules["dump"]>;

/** Where tasks run beside the service; needed to deploy, not to run. */
export type TaskNetwork = NonNullable<Extract<Installation["platform"], { readonly kind: "ecs" }>["network"]>;

/** Size and processor of tasks, as they were written. */
export type TaskSettings = NonNullable<Extract<Installation["platform"], { readonly kind: "ecs" }>["task"]>;

/** What an OpenEMR logs in with after a restore: the values that go into `sqlconf.php`. */
export type OpenEmrConnection = ReturnType<typeof connection.settle>;
