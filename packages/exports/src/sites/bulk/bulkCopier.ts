import type { ReportProgress } from "@openemr-ops/core/progress";

/** A list of files for a service that copies them, as it lies at the destination. */
export interface FileList {
  /** Below the destination. */
  readonly key: string;
  readonly files: number;
  readonly bytes: number;
}

/** A service that copies files of the sites tree to `sites/` of the destination by itself, under the names that they have. */
export interface BulkCopier {
  /** Looks whether the service is set up for this tree and this destination. @throws what is wrong, before anything is sent */
  assertReady(): Promise<void>;
  /**
   * Has the files of a list copied, whatever lies there, and waits until that has ended..
   *
   * @throws the service failed, or did not end in time
   */
  copy(
    list: FileList,
    surroundings: { readonly signal: AbortSignal; readonly progress: ReportProgress },
  ): Promise<void>;
}
