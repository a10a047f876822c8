import {
  DescribeExportTasksCommand,
  type ExportTask,
  ExportTaskAlreadyExistsFault,
  ExportTaskNotFoundFault,
  RDSClient,
  StartExportTaskCommand,
} from "@aws-sdk/client-rds";
import {
  ControlPlaneAccessDeniedError,
  ControlPlaneMissingError,
  DatabaseUnavailableError,
  InvalidInputError,
} from "@openemr-ops/core/errors";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

export interface RdsExportsSettings {
  /** ARNs: of the cluster, of the role that RDS writes with, of the key that it encrypts with. */
  readonly cluster: string;
  readonly role: string;
  readonly key: string;
  readonly bucket: string;
  readonly client?: RDSClient;
}

const notOver = ["STARTING", "IN_PROGRESS", "CANCELING"];

const described = (task: ExportTask) => ({
  identifier: task.ExportTaskIdentifier ?? "",
  status: (task.Status ?? "STARTING").toUpperCase() as
    | "STARTING"
    | "IN_PROGRESS"
    | "COMPLETE"
    | "CANCELING"
    | "CANCELED"
    | "FAILED",
  source: task.SourceArn ?? "",
  percent: task.PercentProgress ?? 0,
  snapshotAt: task.SnapshotTime?.toISOString(),
  failure: task.FailureCause,
  warning: task.WarningMessage,
});

/** What is missing, by the fault's name. Source: docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_StartExportTask.html. */
const refusals: Readonly<Record<string, string>> = {
  IamRoleMissingPermissions: "allow the export's role to write below database/ in the bucket",
  IamRoleNotFound: "deploy the installation again: the role that RDS writes with is missing",
  InvalidS3BucketFault: "the bucket is missing, in another region, or closed to the export's role",
  KMSKeyNotAccessible: "let this function and RDS use the key: kms:CreateGrant and kms:DescribeKey",
};

const startFailure = (error: unknown, cluster: string): Error => {
  const name = error instanceof Error ? error.name.replace(/(Fault|Exception)$/, "") : "";
  const options = { cause: error };
  const advice = Object.entries(refusals).find(([fault]) => fault.replace(/Fault$/, "") === name)?.[1];
  if (advice)
    return new ControlPlaneAccessDeniedError(`RDS refuses to export ${cluster} (${name}): ${advice}`, options);
  if (name === "DBClusterNotFound")
    return new ControlPlaneMissingError(`RDS has no cluster ${cluster}; correct database.host`, options);
  if (name === "InvalidExportSourceState")
    return new DatabaseUnavailableError(
      `RDS cannot export ${cluster} in its present state (${name}): wait until the cluster is available and no other export of it runs`,
      options,
    );
  if (name === "InvalidExportOnly")
    return new InvalidInputError(
      [{ path: "tables", message: `RDS cannot export them from ${cluster} (${name})` }],
      options,
    );
  return controlPlaneFailure(error, `exporting ${cluster}`, "rds:StartExportTask on it");
};

/** Exports of a cluster by RDS. Errors: those of the control plane. */
export const rdsExports = ({ cluster, role, key, bucket, ...settings }: RdsExportsSettings) => {
  const client = onFirstUse(() => settings.client ?? new RDSClient(clientSettings));

  const describe = async (ExportTaskIdentifier?: string): Promise<readonly ExportTask[]> => {
    const all: ExportTask[] = [];
    let Marker: string | undefined;
    try {
      do {
        const page = await client().send(
          new DescribeExportTasksCommand(ExportTaskIdentifier === undefined ? { Marker } : { ExportTaskIdentifier }),
        );
        all.push(...(page.ExportTasks ?? []));
        Marker = page.Marker;
      } while (Marker);
      return all;
    } catch (error) {
      if (error instanceof ExportTaskNotFoundFault) return [];
      throw controlPlaneFailure(error, "looking at exports of RDS", "rds:DescribeExportTasks");
    }
  };

  return {
    cluster,
    find: async (identifier: string) => (await describe(identifier)).map(described)[0],
    running: async () => (await describe()).map(described).filter(({ status }) => notOver.includes(status)),
    start: async ({
      identifier,
      prefix,
      only,
    }: {
      readonly identifier: string;
      readonly prefix: string;
      readonly only: readonly string[];
    }): Promise<void> => {
      try {
        await client().send(
          new StartExportTaskCommand({
            ExportTaskIdentifier: identifier,
            SourceArn: cluster,
            S3BucketName: bucket,
            S3Prefix: prefix,
            IamRoleArn: role,
            KmsKeyId: key,
            ExportOnly: [...only],
          }),
        );
      } catch (error) {
        if (error instanceof ExportTaskAlreadyExistsFault) return; // it is this job's: nobody else has its identifier
        throw startFailure(error, cluster);
      }
    },
  };
};
