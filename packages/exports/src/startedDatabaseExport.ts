import { createHash } from "node:crypto";
import { ulidPattern } from "@openemr-ops/core/ids";

/** The answer of RDS's `StartExportTask`, as far as an export without RDS has it. Moments are ISO 8601 UTC. */
export interface StartedDatabaseExport {
  readonly ExportTaskIdentifier: string;
  readonly S3Bucket: string;
  /** Exports lie below it, each in a folder of its own. */
  readonly S3Prefix: string;
  readonly Status: "STARTING";
  readonly TaskStartTime: string;
  readonly PercentProgress: number;
  readonly TotalExtractedDataInGB: number;
  readonly SourceType: "CLUSTER";
  /** Of the container that exports. RDS does not have it. */
  readonly TaskArn: string;
  /** Our own name of it. */
  readonly JobId: string;
}

/** Source: docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartExportTask.html: unique for an account, up to 60. */
const longestIdentifier = 60;

/**
 * What a job's export is called where RDS has an identifier: a letter first, then letters, digits and single hyphens. Unique
 * in an account and region, for it has the installation and the job in it.
 */
export const exportTaskIdentifier = (installation: string, jobId: string): string => {
  const plain = `e-${installation}-${jobId}`.toLowerCase();
  const fits = plain.length <= longestIdentifier && !/--|[^a-z0-9-]|-$/.test(plain);
  if (fits) return plain;
  const digest = createHash("sha256").update(`${installation}\n${jobId}`).digest("hex").slice(0, 20);
  return `e-${ulidPattern.test(jobId) ? `${digest}-${jobId.toLowerCase()}` : digest}`;
};

/** The job in an identifier; `undefined` where it is none of a job that this product named. */
export const jobOfIdentifier = (installation: string, identifier: string): string | undefined => {
  const jobId = identifier.slice(-26).toUpperCase();
  return ulidPattern.test(jobId) && exportTaskIdentifier(installation, jobId) === identifier ? jobId : undefined;
};

/** The answer to a notebook that has just started an export. */
export const startedDatabaseExport = ({
  installation,
  jobId,
  task,
  startedAt,
  place,
}: {
  readonly installation: string;
  readonly jobId: string;
  readonly task: string;
  readonly startedAt: Date;
  readonly place: { readonly bucket: string; readonly prefix: string };
}): StartedDatabaseExport => ({
  ExportTaskIdentifier: exportTaskIdentifier(installation, jobId),
  S3Bucket: place.bucket,
  S3Prefix: [place.prefix, "database"].filter(Boolean).join("/"),
  Status: "STARTING",
  TaskStartTime: startedAt.toISOString(),
  PercentProgress: 0,
  TotalExtractedDataInGB: 0,
  SourceType: "CLUSTER",
  TaskArn: task,
  JobId: jobId,
});
