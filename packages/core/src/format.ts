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

/** A figure with its name, read from the unit that the name ends with: `databaseBytes`, `restoreSeconds`, `rows`. */
export const formatFigure = (name: string, value: number): readonly [label: string, text: string] => {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  if (words.endsWith("bytes")) return [words.replace(/ ?bytes$/, "") || "bytes", formatBytes(value)];
  if (words.endsWith("seconds")) return [words.replace(/ ?seconds$/, "") || "time", formatDuration(value)];
  return [words, formatCount(value)];
};

/** An ISO 8601 moment without its fraction of a second: `2026-11-21 04:08:00Z`. */
export const formatMoment = (moment: string): string => moment.replace("T", " ").replace(/\.\d+Z$/, "Z");
