import type { JobRecord } from "@openemr-ops/core/jobs";
import { kindNames } from "@openemr-ops/events/jobKinds";
import type { ResultEvent, StartEvent } from "./jobWords.ts";

/** The event that a record gives rise to; `undefined` for a kind that this release does not know. */
export const eventOfRecord = (record: JobRecord): StartEvent | ResultEvent | undefined => {
  const { jobId, installation, dryRun, status, startedAt, endedAt } = record;
  const { figures = {}, result = {}, error = { name: "UnexpectedError", message: "" } } = record;
  const kind = kindNames.find((name) => name === record.kind);
  if (kind === undefined) return undefined;
  const job = { version: 1, jobId, kind, installation, dryRun } as const;
  if (endedAt === undefined) return { name: "JobStarted", detail: { ...job, at: startedAt ?? record.requestedAt } };
  const duration = startedAt === undefined ? {} : { seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 };
  const end = { ...job, at: endedAt, ...duration, result };
  if (status === "succeeded") return { name: "JobSucceeded", detail: { ...end, figures } };
  return { name: "JobFailed", detail: { ...end, status: status === "aborted" ? status : "failed", error } };
};
