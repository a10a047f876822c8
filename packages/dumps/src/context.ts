import type { Destination } from "@openemr-ops/core/destination";
import type { Immutability } from "@openemr-ops/core/immutability";
import type { JobHistory } from "@openemr-ops/core/jobs";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { ServiceState } from "@openemr-ops/core/service";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { DumpStore } from "./store/dumpStore.ts";

/** Names or paths of the programs that do the heavy work. */
export interface Tools {
  readonly restic: string;
  readonly mariadb: string;
  readonly mariadbDump: string;
  readonly tar: string;
  /** For drills with a server of their own. */
  readonly mariadbd: string;
  readonly mariadbInstallDb: string;
}

/** All that a dump job needs of one installation, put together by the program that runs it. */
export interface DumpContext {
  readonly installation: string;
  /** The live schema, with the user that may only read. */
  readonly database: DatabaseAccess;
  /** The same schema with a user that may create schemas, on the server that may be written to. */
  readonly restoreDatabase: DatabaseAccess;
  /** Where drills load: in a scratch schema of that server, or on a server that each starts for itself. */
  readonly drillDatabase: DatabaseAccess | "own";
  /** Drills make their scratch directories in it. Without links on the way. */
  readonly drillDirectory: string;
  /** Without links on the way: proofs, copies and moves mean the same directory. */
  readonly sitesPath: string;
  /** Root of the OpenEMR code at the target, when it can be read from here. */
  readonly codePath?: string | undefined;
  readonly url?: string | undefined;
  /** Who starts and stops OpenEMR, where somebody can be asked. */
  readonly service?: ServiceState | undefined;
  readonly store: DumpStore;
  readonly destination: Destination;
  /** Asks the store where it is. Not set: data may go anywhere. @throws {ResidencyError} it may not go there */
  readonly assertPlace?: (() => Promise<void>) | undefined;
  /** What the configuration says that the store protects. */
  readonly immutability?: Immutability | undefined;
  /** Caches and the state of interrupted restores. */
  readonly stateDirectory: string;
  /** A stream without data for this many seconds fails. */
  readonly stallSeconds: number;
  readonly tools: Tools;
  /** Restored tables with so many rows get their keys when these are in; the loader has its own number. */
  readonly deferKeysFrom?: number;
  /** Says whether dumps were taken before. */
  readonly jobs: JobHistory;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Something for a person to look at that is no failure. */
  readonly warn: (message: string) => void;
}
