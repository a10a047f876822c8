/** An export that RDS makes, as it describes it. */
export interface ClusterExport {
  readonly identifier: string;
  readonly status: "STARTING" | "IN_PROGRESS" | "COMPLETE" | "CANCELING" | "CANCELED" | "FAILED";
  /** Of the cluster. */
  readonly source: string;
  readonly percent: number;
  readonly snapshotAt?: string | undefined;
  /** Why it failed, and what else RDS has to say. */
  readonly failure?: string | undefined;
  readonly warning?: string | undefined;
}

export interface ClusterExportRequest {
  readonly identifier: string;
  /** Below the bucket's root, without a slash at its end. */
  readonly prefix: string;
  /** `schema.table`, each. */
  readonly only: readonly string[];
}

/** Exports of one cluster, which RDS makes of a copy of its volume. */
export interface ClusterExports {
  /** ARN. */
  readonly cluster: string;
  find(identifier: string): Promise<ClusterExport | undefined>;
  /** Those of the account that have not ended, whoever started them. */
  running(): Promise<readonly Pick<ClusterExport, "identifier" | "source">[]>;
  /**
   * Safe to repeat: an identifier names one export.
   *
   * @throws {ControlPlaneAccessDeniedError} fatal: the role or the key does not let RDS write; names which
   */
  start(request: ClusterExportRequest): Promise<void>;
}
