/** What a long job says while it works. Numbers and names of tables only: never rows, never file names. */
export interface ProgressEvent {
  /** Step in words an operator would use: `database`, `sites`, `seal`, `server`, `load`, `compare`, `copy`. */
  readonly step: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
  readonly rows?: number;
  readonly totalRows?: number;
  readonly files?: number;
  readonly totalFiles?: number;
  /** The totals are those of the dump before: these may be exceeded. */
  readonly estimated?: true;
  /** The table under way, or what the step does. */
  readonly detail?: string;
}
export type ReportProgress = (event: ProgressEvent) => void;

type Totals = Pick<ProgressEvent, "totalBytes" | "totalRows" | "totalFiles">;

/**
 * Adds totals that an earlier job found, step by step. A step that exceeds one of them has outgrown them all, and continues
 * without.
 */
export const withEstimates =
  (report: ReportProgress, totals: Readonly<Record<string, Totals>>): ReportProgress =>
  (event) => {
    const known = event.totalBytes !== undefined || event.totalFiles !== undefined;
    const { totalBytes, totalRows, totalFiles } = totals[event.step] ?? {};
    const within = (done = 0, total: number | undefined) => total === undefined || done <= total;
    const fits = within(event.bytes, totalBytes) && within(event.rows, totalRows) && within(event.files, totalFiles);
    report(known || !fits || !totalBytes ? event : { ...event, ...totals[event.step], estimated: true });
  };
