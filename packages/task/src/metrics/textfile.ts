/** One value of the file: a metric's name, the labels that tell it from others of that name, and a number. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Every metric of the file, in its order. All are gauges: the value is of the last run, whatever was before. */
const families = {
  openemr_ops_job_last_run_timestamp_seconds: "When the job last ended, in seconds since 1970.",
  openemr_ops_job_last_run_success: "1 if the last run succeeded, 0 if it failed or was aborted.",
  openemr_ops_job_last_run_duration_seconds: "How long the last run took.",
  openemr_ops_job_last_success_timestamp_seconds: "When the job last succeeded, in seconds since 1970.",
  openemr_ops_job_tables: "Tables of the last successful run.",
  openemr_ops_job_rows: "Rows of the last successful run.",
  openemr_ops_job_files: "Files of the last successful run.",
  openemr_ops_job_database_bytes: "Size of the database in the last successful run, as SQL.",
  openemr_ops_job_files_bytes: "Size of the files in the last successful run.",
  openemr_ops_job_bytes: "Bytes that the last successful run wrote.",
  openemr_ops_job_warnings: "Warnings of the last successful run.",
  openemr_ops_dump_last_verification_timestamp_seconds:
    "When dumps last passed a restore drill or a check of every stored byte, in seconds since 1970.",
} as const;
export type MetricName = keyof typeof families;

const names = Object.keys(families) as MetricName[];

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
const unescaped = (text: string): string => text.replace(/\\(.)/gs, (_, sign) => (sign === "n" ? "\n" : sign));

const labelText = (labels: Sample["labels"]): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");

/** First line of the file: one without it is somebody else's, and is not replaced. */
const heading = "# Written by openemr-ops after each job. Edits are lost.";

/** The file's text, in Prometheus' text format: metrics in a fixed order, with the samples of each in a fixed order. */
export const renderMetrics = (samples: readonly Sample[]): string => {
  const lines = names.flatMap((name) => {
    const own = samples
      .filter((sample) => sample.name === name)
      .map((s) => `${name}{${labelText(s.labels)}} ${s.value}`);
    return own.length === 0 ? [] : [`# HELP ${name} ${families[name]}`, `# TYPE ${name} gauge`, ...own.sort()];
  });
  return `${[heading, ...lines].join("\n")}\n`;
};

const label = /([a-z]+)="((?:[^"\\]|\\.)*)"(?:,|$)/gs;
const sample = /^([a-z_]+)\{(.*)\} (\S+)$/s;

/** The samples of a text that `renderMetrics` made; `undefined` for any other text. */
export const parseMetrics = (text: string): readonly Sample[] | undefined => {
  const [first, ...lines] = text.split("\n");
  if (first !== heading) return undefined;
  const samples: Sample[] = [];
  for (const line of lines.filter((each) => each !== "" && !each.startsWith("# "))) {
    const [, name, written, value] = sample.exec(line) ?? [];
    if (name === undefined || written === undefined || !Number.isFinite(Number(value))) return undefined;
    const labels = Object.fromEntries([...written.matchAll(label)].map(([, key, of]) => [key, unescaped(of ?? "")]));
    if (labelText(labels) !== written) return undefined;
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
};

const keyOf = ({ name, labels }: Sample): string => `${name}{${labelText(labels)}}`;

/** The samples before, each replaced by the newer one of its name and labels. */
export const mergeMetrics = (before: readonly Sample[], newer: readonly Sample[]): readonly Sample[] => [
  ...new Map([...before, ...newer].map((each) => [keyOf(each), each])).values(),
];
