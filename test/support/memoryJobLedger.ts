import { isDeepStrictEqual } from "node:util";
import { ControlPlaneUnavailableError } from "@openemr-ops/core/errors";
import type { JobKey, JobLedger, JobRecord, OnceKey } from "@openemr-ops/core/jobs";

/** A ledger that lives in this process, and shows what it holds. */
export interface MemoryJobLedger extends JobLedger {
  /** In the order in which they were created. */
  records(): readonly JobRecord[];
}

const newestFirst = (one: JobRecord, other: JobRecord): number => {
  const [left, right] = [one, other].map(({ requestedAt, jobId }) => `${requestedAt}#${jobId}`) as [string, string];
  return left < right ? 1 : -1;
};

/** As slow as a store elsewhere: whatever else is under way comes in between. */
const elsewhere = (): Promise<void> => Promise.resolve();

const nameOf = ({ installation, jobId }: JobKey): string => `${installation}/${jobId}`;
const onceNameOf = ({ topic, installation, key }: OnceKey): string => `${topic}/${installation}/${key}`;

export const memoryJobLedger = (now: () => Date = () => new Date()): MemoryJobLedger => {
  const records = new Map<string, JobRecord>();
  const created = new Map<string, JobRecord>();
  const claims = new Map<string, { readonly until: number; readonly done: boolean }>();
  const change = (job: JobKey, next: (record: JobRecord) => JobRecord): void => {
    const record = records.get(nameOf(job));
    if (record && record.endedAt === undefined) records.set(nameOf(job), structuredClone(next(record)));
  };

  return {
    records: () => structuredClone([...records.values()]),
    async get(job) {
      await elsewhere();
      return structuredClone(records.get(nameOf(job)));
    },
    async list(installation, limit = Number.POSITIVE_INFINITY, { requestedBefore, ...fields } = {}) {
      await elsewhere();
      const ours = [...records.values()]
        .filter((record) => record.installation === installation)
        .map((record) => (record.endedAt === undefined ? (created.get(nameOf(record)) ?? record) : record))
        .filter((record) => !requestedBefore || record.requestedAt < requestedBefore.toISOString())
        .filter(({ kind, status, dryRun }) =>
          isDeepStrictEqual({ kind, status, dryRun, ...fields }, { kind, status, dryRun }),
        );
      return structuredClone(ours.sort(newestFirst).slice(0, limit));
    },
    async create(record) {
      await elsewhere();
      const known = records.get(nameOf(record));
      if (!known) for (const kept of [records, created]) kept.set(nameOf(record), structuredClone(record));
      return { record: structuredClone(known ?? record), created: known === undefined };
    },
    async note(job, step) {
      await elsewhere();
      change(job, ({ steps = [], ...record }) => ({
        ...record,
        status: "running",
        startedAt: record.startedAt ?? step.at,
        steps: [...steps.filter(({ name }) => name !== step.name), step],
      }));
    },
    async end(job, ending) {
      await elsewhere();
      change(job, (record) => ({ ...record, ...ending }));
      return structuredClone(records.get(nameOf(job)));
    },
    async once(what, act) {
      await elsewhere();
      const key = onceNameOf(what);
      const claim = claims.get(key);
      if (claim?.done) return false;
      if (claim && claim.until > now().getTime())
        throw new ControlPlaneUnavailableError(`another run is at ${key}; try again in a minute`);
      claims.set(key, { until: now().getTime() + 60_000, done: false });
      try {
        await act();
      } catch (error) {
        claims.delete(key);
        throw error;
      }
      claims.set(key, { until: 0, done: true });
      return true;
    },
  };
};
