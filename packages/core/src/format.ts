const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** `1536` as `1.5 KiB`. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? `${Math.round(bytes)} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
};

/** `1234567` as `1,234,567`. */
export const formatCount = (count: number): string => new Intl.NumberFormat("en-US").format(count);

/** Seconds as `4.2 s`, `3 min 12 s` or `2 h 5 min`. */
export const formatDuration = (seconds: number): string => {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/**
 * A figure with its label. The name ends with the unit, which the label keeps, so that no two figures have one label:
 * `files` is `files`, `filesBytes` is `files size`, `restoreSeconds` is `restore time`. A count of one is singular.
 */
export const formatFigure = (name: string, value: number): readonly [label: string, text: string] => {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  if (words.endsWith("bytes")) return [words.replace(/bytes$/, "size"), formatBytes(value)];
  if (words.endsWith("seconds")) return [words.replace(/seconds$/, "time"), formatDuration(value)];
  return [value === 1 ? words.replace(/(?<=[a-rt-z])s$/, "") : words, formatCount(value)];
};

/** A figure within a sentence: `3 files`, `files size 1.0 KiB`. */
export const figureWords = (name: string, value: number): string => {
  const [label, text] = formatFigure(name, value);
  return /(size|time)$/.test(label) ? `${label} ${text}` : `${text} ${label}`;
};

/** An ISO 8601 moment without its fraction of a second: `2026-11-21 04:08:00Z`. */
export const formatMoment = (moment: string): string => moment.replace("T", " ").replace(/\.\d+Z$/, "Z");
