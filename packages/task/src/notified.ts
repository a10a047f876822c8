import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { createFile, readState, stateFiles } from "@openemr-ops/files/stateFiles";
import type { FailingJobs } from "@openemr-ops/notifications/notifier";

/** Where a state directory keeps what people were notified of. */
const placeIn = (stateDirectory: string): string => join(stateDirectory, "notified");

/** A copy's number; `to`: a place that the configuration does not list. A failure before the job began has neither. */
const copyOf = ({ kind, result: { copy, destination } = {} }: JobRecord): string => {
  if (copy !== undefined) return `.copy-${copy}`;
  return kind === "copy" && destination !== undefined ? ".copy-to" : "";
};

/** Kinds that fail, one small file each. Names of installations and kinds are checked identifiers. */
export const failingJobs = (stateDirectory: string): FailingJobs => {
  const pathOf = (record: JobRecord): string => {
    const { installation, kind } = record;
    return join(placeIn(stateDirectory), `failing.${installation}.${kind}${copyOf(record)}`.replaceAll("/", "_"));
  };
  return {
    note: async (record) => {
      await createFile(pathOf(record), `${record.endedAt ?? record.requestedAt}\n`);
    },
    recover: async (record) => {
      const path = pathOf(record);
      const since = await readState(path);
      if (!since) return undefined;
      await rm(path, { force: true });
      return since.toString().trim();
    },
  };
};

const keptMilliseconds = 7 * 24 * 3600 * 1000;
const invocationPattern = /^[0-9a-f]{32}$/;

/**
 * Which starts of systemd units reported their failure by themselves, by the identifier that systemd gives each start
 * (`INVOCATION_ID`). Kept for a week.
 */
export const reportedInvocations = (stateDirectory: string, now: () => Date) => {
  const directory = placeIn(stateDirectory);
  const pathOf = (id: string) => join(directory, `invocation.${id}`);
  return {
    /** Does nothing for what is no such identifier. */
    note: async (id: string | undefined): Promise<void> => {
      if (id === undefined || !invocationPattern.test(id)) return;
      for (const name of await stateFiles(directory, now())) {
        if (!name.startsWith("invocation.")) continue;
        const path = join(directory, name);
        const written = await stat(path).catch(() => undefined);
        if (written && now().getTime() - written.mtimeMs > keptMilliseconds) await rm(path, { force: true });
      }
      await createFile(pathOf(id), "");
    },
    has: async (id: string | undefined): Promise<boolean> =>
      id !== undefined && invocationPattern.test(id) && (await readState(pathOf(id))) !== undefined,
  };
};
