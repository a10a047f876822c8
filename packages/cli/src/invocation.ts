import type { WorkflowKind } from "@openemr-ops/core/names";
import type { VerificationLevel } from "@openemr-ops/dumps/verification";

/** Options that several commands share. */
export interface CommonOptions {
  /** Absolute name of the configuration; not set, it is looked for in the working directory. */
  readonly config?: string;
  readonly installation?: string;
  /** One JSON value on standard output, logs on standard error. */
  readonly json: boolean;
  readonly dryRun: boolean;
  /** Do not ask. */
  readonly yes: boolean;
}

/** Where a restored tree may have to run; `cloud-sql` is a database service that loads the dump by itself. */
export const targetPlatforms = ["ecs", "compose", "kubernetes", "host", "cloud-sql"] as const;
export type TargetPlatform = (typeof targetPlatforms)[number];

export interface RestoreArguments {
  /** `latest` or a dump's identifier. */
  readonly dump: string;
  /** A schema that does not exist yet. */
  readonly intoDatabase?: string;
  /** Absolute directory that is absent or empty. */
  readonly intoSites?: string;
  /** Replace the live schema and tree; excludes the two above. */
  readonly inPlace: boolean;
  /** Make the restored tree ready for this platform; not set, it stays as it was dumped. */
  readonly platform?: TargetPlatform;
  /** Absolute name of the connection file. */
  readonly connect?: string;
  /** The code at the target is newer and will upgrade the data. */
  readonly upgrade: boolean;
}

/** A command line, understood. */
export type Invocation =
  | { readonly command: "text"; readonly text: string }
  | ({ readonly common: CommonOptions } & (
      | { readonly command: "dump"; readonly forceNewRepository: boolean }
      | { readonly command: "dumps" }
      | { readonly command: "restore"; readonly options: RestoreArguments }
      | { readonly command: "drill"; readonly dump: string }
      | {
          readonly command: "check";
          readonly level: VerificationLevel;
          /** `n/m`: only the n-th of m parts of the repository. */
          readonly share?: string;
        }
      | { readonly command: "check destination" }
      | { readonly command: "retention" }
      | { readonly command: "config check" }
      | ControlPlaneCommand
    ));

/** What is asked of the control plane of a stage; `stage` not set, the environment says it. */
export type ControlPlaneCommand = { readonly stage?: string } & (
  | { readonly command: "jobs"; readonly limit: number }
  | {
      readonly command: "run";
      readonly kind: WorkflowKind;
      /** JSON text. */
      readonly input?: string;
      /** Follow the job to its end. */
      readonly wait: boolean;
    }
  | { readonly command: "watch"; readonly jobId: string }
  | { readonly command: "schedules" }
);
