import { formatDuration } from "@openemr-ops/core/format";

const day = 24 * 3600;

/** `5.0 h` or `12 days`, from seconds. */
export const formatAge = (seconds: number): string =>
  seconds < 2 * day ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / day)} days`;

/** A round number needs no zero behind it: `4 min` for `4 min 0 s`, `2 GiB` for `2.0 GiB`. */
export const rounded = (label: string): string => label.replace(/(?<=\d .*) 0 (s|min)$/, "").replace(".0 ", " ");

/** Seconds that a person has set, such as `30 min`. */
export const formatGoal = (seconds: number): string => rounded(formatDuration(seconds));
