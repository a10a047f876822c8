import { formatBytes, formatCount, formatDuration } from "@openemr-ops/core/format";
import type { ProgressEvent } from "@openemr-ops/core/progress";
import { visible } from "@openemr-ops/core/visible";

/** How far a step is. */
export interface StepState {
  readonly latest: ProgressEvent;
  /** Milliseconds since the step was first reported. */
  readonly milliseconds: number;
}

/** Done part of a step, 0 to 1; `undefined` when the whole is not known. One that is only estimated is never done. */
export const shareOf = ({ bytes, totalBytes, files, totalFiles, estimated }: ProgressEvent): number | undefined => {
  const [done = 0, whole] = totalBytes ? [bytes, totalBytes] : [files, totalFiles];
  return whole ? Math.min(estimated ? 0.99 : 1, done / whole) : undefined;
};

/** Seconds as nobody reads them twice: `40 s`, `12 min`, `2 h 5 min`. */
const roughly = (seconds: number): string => {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : formatDuration(seconds);
};

/** The step, its share and the time left: what no width cuts. */
const headOf = ({ latest, milliseconds }: StepState): string => {
  const share = shareOf(latest);
  if (share === undefined) return latest.step;
  const seconds = milliseconds / 1000;
  const left = share > 0 && share < 1 && seconds >= 1 ? `, ${roughly((seconds / share) * (1 - share))} left` : "";
  return `${latest.step}: ${Math.floor(share * 100)}%${left}`;
};

/** What else is known, the most useful first: a narrow line has only the first of it. */
const amountsOf = ({ latest, milliseconds }: StepState): readonly string[] => {
  const { bytes, totalBytes, rows, totalRows, files, totalFiles, estimated, detail } = latest;
  const of = (format: (value: number) => string, done: number, total: number | undefined) =>
    total ? `${format(done)} of ${estimated ? "about " : ""}${format(total)}` : format(done);
  return [
    ...(bytes === undefined ? [] : [of(formatBytes, bytes, totalBytes)]),
    ...(rows === undefined ? [] : [`${of(formatCount, rows, totalRows)} rows`]),
    ...(files === undefined ? [] : [`${of(formatCount, files, totalFiles)} files`]),
    ...(bytes && milliseconds >= 1000 ? [`${formatBytes((bytes * 1000) / milliseconds)}/s`] : []),
    ...(detail === undefined ? [] : [`(${detail})`]),
  ];
};

/** One step in words, with the first `most` of what is known: `database: 60%, 10 s left, 1.2 GiB of 2.0 GiB, 3,400,000 rows (billing)`. */
export const describeStep = (state: StepState, most = Number.POSITIVE_INFINITY): string => {
  const head = headOf(state);
  const amounts = amountsOf(state).slice(0, most).join(", ").replace(/, \(/, " (");
  return visible(
    amounts === "" ? head : `${head}${head.includes(":") ? "," : ":"} ${amounts}`.replace(/[:,] \(/, " ("),
  );
};

const clock = (milliseconds: number): string => {
  const seconds = Math.floor(milliseconds / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number: number) => String(number).padStart(2, "0");
  return `[${hours > 0 ? `${hours}:` : ""}${two(minutes)}:${two(rest)}]`;
};

/**
 * All steps in one line of at most `width` characters. What there is no room for is left out: details first, then speeds,
 * files, rows and bytes of all steps, then the time since the beginning; the shares and the times left stay.
 */
export const progressLine = (steps: readonly StepState[], milliseconds: number, width: number): string => {
  const before = `${clock(milliseconds)} `;
  const most = Math.max(0, ...steps.map((step) => amountsOf(step).length));
  const lines = Array.from({ length: most + 1 }, (_, less) =>
    steps.map((step) => describeStep(step, most - less)).join(" | "),
  );
  const all =
    steps.length === 0 ? [`${before}working`] : [...lines.map((line) => `${before}${line}`), lines.at(-1) ?? ""];
  return (all.find((line) => line.length <= width) ?? all.at(-1) ?? "").slice(0, width);
};
