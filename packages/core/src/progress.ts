/** What a long job says while it works. Numbers and names of tables only: never rows, never file names. */
export interface ProgressEvent {
  /** Step in words an operator would use: `database`, `sites`, `seal`, `server`, `load`, `compare`, `copy`. */
  readonly step: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
  readonly rows?: number;
  readonly files?: number;
  readonly totalFiles?: number;
  /** The table under way, or what the step does. */
  readonly detail?: string;
}
export type ReportProgress = (event: ProgressEvent) => void;
