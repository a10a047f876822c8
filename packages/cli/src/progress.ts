import { formatBytes, formatCount, formatDuration } from "@openemr-ops/core/format";
import type { ProgressEvent, ReportProgress } from "@openemr-ops/core/progress";
import { visible } from "@openemr-ops/core/visible";
import type { Sink } from "./terminal.ts";

interface Step {
  readonly startedAt: number;
  latest: ProgressEvent;
  seenAt: number;
  /** Last line of a log: when, and at which tenth. */
  loggedAt: number;
  loggedTenth: number;
}

/** Done part of a step, 0 to 1; `undefined` when the whole is not known. */
const shareOf = ({ bytes, totalBytes, files, totalFiles }: ProgressEvent): number | undefined => {
  if (totalBytes) return Math.min(1, (bytes ?? 0) / totalBytes);
  return totalFiles ? Math.min(1, (files ?? 0) / totalFiles) : undefined;
};

const amount = (done: string, total: string | undefined): string =>
  total === undefined ? done : `${done} of ${total}`;

/** One step in words: `database: 1.2 GiB of 2.0 GiB, 3,400,000 rows, 80.0 MiB/s, 10.0 s left (billing)`. */
const describe = ({ latest, startedAt, seenAt }: Step): string => {
  const { step, bytes, totalBytes, rows, files, totalFiles, detail } = latest;
  const seconds = (seenAt - startedAt) / 1000;
  const share = shareOf(latest);
  const parts: string[] = [];
  if (bytes !== undefined) parts.push(amount(formatBytes(bytes), totalBytes ? formatBytes(totalBytes) : undefined));
  if (rows !== undefined) parts.push(`${formatCount(rows)} rows`);
  if (files !== undefined)
    parts.push(`${amount(formatCount(files), totalFiles ? formatCount(totalFiles) : undefined)} files`);
  if (bytes && seconds >= 1) parts.push(`${formatBytes(bytes / seconds)}/s`);
  if (share && share < 1 && seconds >= 1) parts.push(`${formatDuration((seconds / share) * (1 - share))} left`);
  const where = detail === undefined ? "" : ` (${detail})`;
  return visible(`${step}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}${where}`);
};

export interface ProgressDisplay {
  readonly report: ReportProgress;
  /** Clears the current line, so that the next output starts on a line of its own. Safe to repeat. */
  readonly clear: () => void;
}

const secondsBetweenLines = 10;
const millisecondsBetweenFrames = 100;
/** A step that has reported nothing for this long is left out of the line. Milliseconds. */
const quiet = 5000;

/**
 * Shows progress: on a terminal one line that is updated, elsewhere one plain line a step, then one for each tenth done,
 * or every 10 seconds when the whole is not known.
 */
export const showProgress = (sink: Sink, now: () => Date): ProgressDisplay => {
  const steps = new Map<string, Step>();
  let drawnAt = 0;
  let drawn = false;

  const clear = () => {
    if (drawn) sink.write("\r\u001b[2K");
    drawn = false;
  };

  const draw = (time: number, isNew: boolean) => {
    if (!isNew && time - drawnAt < millisecondsBetweenFrames) return;
    const active = [...steps.values()].filter(({ seenAt }) => time - seenAt < quiet);
    const line = active
      .map(describe)
      .join(" | ")
      .slice(0, Math.max(20, (sink.columns ?? 80) - 1));
    sink.write(`\r\u001b[2K${line}`);
    drawnAt = time;
    drawn = true;
  };

  const log = (step: Step, time: number, isNew: boolean) => {
    const share = shareOf(step.latest);
    const tenth = share === undefined ? 0 : Math.floor(share * 10);
    const due = share === undefined ? time - step.loggedAt >= secondsBetweenLines * 1000 : tenth > step.loggedTenth;
    if (!isNew && !due) return;
    sink.write(`${describe(step)}\n`);
    step.loggedAt = time;
    step.loggedTenth = tenth;
  };

  const report: ReportProgress = (event) => {
    const time = now().getTime();
    const known = steps.get(event.step);
    const step = known ?? { startedAt: time, latest: event, seenAt: time, loggedAt: time, loggedTenth: 0 };
    step.latest = event;
    step.seenAt = time;
    steps.set(event.step, step);
    if (sink.isTTY) draw(time, known === undefined);
    else log(step, time, known === undefined);
  };

  return { report, clear };
};
