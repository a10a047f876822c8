import type { Destination } from "@openemr-ops/core/destination";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { TableCatalogue } from "@openemr-ops/core/tableCatalogue";
import type { DatabaseAccess } from "@openemr-ops/database/access";
import type { KeySet } from "@openemr-ops/openemr/crypto";
import type { Profile } from "./profiles/profile.ts";
import type { BulkCopier } from "./sites/bulk/bulkCopier.ts";

/** What both exports need of one installation, put together by the program that runs them. */
export interface ExportContext {
  readonly installation: string;
  /** Where exports are kept: keys are `database/…` and `sites/…`. */
  readonly destination: Destination;
  /** Asks the destination where it is. Not set: data may go anywhere. @throws {ResidencyError} it may not go there */
  readonly assertPlace?: (() => Promise<void>) | undefined;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly progress: ReportProgress;
  /** Something for a person to look at that is no failure. */
  readonly warn: (message: string) => void;
}

export interface DatabaseExportContext extends ExportContext {
  /** The schema on the server to read: the reader where there is one. */
  readonly database: DatabaseAccess;
  /** Which tables and columns leave, and in what form. */
  readonly profile: Profile;
  /** Where the tables of a complete export are registered. */
  readonly catalogue?: TableCatalogue | undefined;
}

export interface SitesExportContext extends ExportContext {
  /** Without links on the way. */
  readonly sitesPath: string;
  /** An exported file whose source is gone is noted in the inventory, or removed too. */
  readonly deletions: "record" | "mirror";
  /**
   * Reads the keys of each site, by its name. Set: what OpenEMR encrypted leaves decrypted. The keys stay in this process.
   *
   * @throws the `Database…Error` family
   */
  readonly documentKeys?: (() => Promise<ReadonlyMap<string, KeySet>>) | undefined;
  /** Copies large files. Not set: this program sends all of them. Not together with `documentKeys`. */
  readonly bulkCopier?: BulkCopier | undefined;
}

export interface SkippedTable {
  readonly table: string;
  readonly reason: string;
}

/** A table of which only the rows written since a day leave. */
export interface PartialTable {
  readonly table: string;
  /** Rows that stay. */
  readonly leftOut: number;
}

export interface ExportedTable {
  readonly table: string;
  readonly rows: number;
  /** Of the Parquet files. */
  readonly bytes: number;
  /** Of the values before they were compressed. */
  readonly rawBytes: number;
  readonly files: number;
}

export interface DatabaseExportResult {
  readonly exportId: string;
  /** `<destination>/database/<exportId>` */
  readonly location: string;
  readonly profile: string;
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly skipped: readonly SkippedTable[];
  /** Both only where a day was asked for. */
  readonly since?: string;
  readonly partial?: readonly PartialTable[];
  /** Largest first; a few of them, for people. */
  readonly largest: readonly ExportedTable[];
}

export interface SitesExportResult {
  readonly exportId: string;
  /** `<destination>/sites` */
  readonly location: string;
  readonly files: number;
  readonly bytes: number;
  readonly uploaded: number;
  readonly unchanged: number;
  /** Files that may not leave, in all and by the name of the rule. */
  readonly excluded: number;
  readonly excludedBy: Readonly<Record<string, number>>;
  /** Whose source is gone since the last export. */
  readonly deleted: number;
  /** Changed each time they were read: tried again by the next export. */
  readonly unstable: number;
  /** Links, sockets and the like. */
  readonly skipped: number;
  /** Files that were encrypted and lie there in clear. Only where documents leave decrypted. */
  readonly decrypted?: number;
  readonly seconds: number;
}
