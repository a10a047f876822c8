import { randomUUID } from "node:crypto";
import type { AccessControl } from "../iam/accessControl.ts";
import { type JsonObject, maybeList, maybeText } from "../json.ts";
import { type Operations, ServiceError } from "./operation.ts";

/** What RDS would write of a cluster: files below the export's folder, and how each table went. */
export interface ClusterFiles {
  readonly files: readonly { readonly path: string; readonly body: Buffer }[];
  readonly tables: readonly { readonly target: string; readonly status: string; readonly warningMessage?: string }[];
}

/** Reads the tables, `schema.table` each, of what stands for a cluster here. */
export type ReadCluster = (only: readonly string[]) => Promise<ClusterFiles>;

export interface RdsOptions {
  readonly access: AccessControl;
  readonly read: ReadCluster;
  readonly put: (bucket: string, key: string, body: Buffer) => Promise<void>;
}

interface ExportTask {
  readonly request: JsonObject;
  readonly role: string;
  status: "STARTING" | "IN_PROGRESS" | "COMPLETE" | "FAILED";
  percent: number;
  failure?: string;
  warning?: string;
}

const identifier = /^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{0,58}[a-zA-Z0-9]$/;

/**
 * RDS's exports of a cluster: STARTING when it is asked for, then IN_PROGRESS, and complete when it is looked at once more. It
 * writes real files, under the rights of the export's role, in the folders in which RDS writes. A table that RDS skips is
 * skipped here, and the export is complete all the same.
 */
export const rdsApi = ({ access, read, put }: RdsOptions): Operations => {
  const tasks = new Map<string, ExportTask>();

  const described = (id: string, { request, role, status, percent, failure, warning }: ExportTask): JsonObject => ({
    ExportTaskIdentifier: id,
    SourceArn: request.SourceArn ?? "",
    SourceType: "CLUSTER",
    S3Bucket: request.S3BucketName ?? "",
    S3Prefix: request.S3Prefix ?? "",
    IamRoleArn: role,
    KmsKeyId: request.KmsKeyId ?? "",
    ExportOnly: request.ExportOnly ?? [],
    Status: status,
    PercentProgress: percent,
    TotalExtractedDataInGB: 0,
    ...(status === "STARTING" ? {} : { SnapshotTime: new Date().toISOString() }),
    ...(failure ? { FailureCause: failure } : {}),
    ...(warning ? { WarningMessage: warning } : {}),
  });

  const write = async (id: string, { request, role }: ExportTask): Promise<string | undefined> => {
    const { files, tables } = await read(maybeList(request.ExportOnly).map(String));
    const [bucket, prefix] = [String(request.S3BucketName), String(request.S3Prefix)];
    const info = Buffer.from(JSON.stringify({ perTableStatus: tables }));
    const all = [...files, { path: `export_tables_info_${id}_from_1_to_${tables.length}.json`, body: info }];
    for (const { path, body } of all) {
      const key = `${prefix}/${id}/${path}`;
      const call = { action: "s3:PutObject", resource: `arn:aws:s3:::${bucket}/${key}`, context: {} };
      if (!access.allows({ name: "export of RDS", role }, call)) throw new Error(`${role} may not write ${key}`);
      await put(bucket, key, body);
    }
    const skipped = tables.filter(({ status }) => status !== "COMPLETE").length;
    return skipped === 0 ? undefined : `${skipped} tables were skipped`;
  };

  const advance = async (id: string, task: ExportTask): Promise<void> => {
    if (task.status === "STARTING") Object.assign(task, { status: "IN_PROGRESS", percent: 40 });
    else if (task.status === "IN_PROGRESS")
      try {
        const warning = await write(id, task);
        Object.assign(task, { status: "COMPLETE", percent: 100, ...(warning ? { warning } : {}) });
      } catch (error) {
        Object.assign(task, { status: "FAILED", failure: error instanceof Error ? error.message : String(error) });
      }
  };

  return {
    StartExportTask: (request) => {
      const id = maybeText(request.ExportTaskIdentifier) ?? "";
      if (!identifier.test(id)) throw new ServiceError("InvalidParameterValue", `Invalid export identifier: ${id}`);
      if (tasks.has(id)) throw new ServiceError("ExportTaskAlreadyExists", `Export task ${id} already exists`);
      const task: ExportTask = { request, role: String(request.IamRoleArn), status: "STARTING", percent: 0 };
      tasks.set(id, task);
      return described(id, task);
    },
    DescribeExportTasks: async ({ ExportTaskIdentifier }) => {
      const id = maybeText(ExportTaskIdentifier);
      if (id === undefined) return { ExportTasks: [...tasks].map(([name, task]) => described(name, task)) };
      const task = tasks.get(id);
      if (!task) throw new ServiceError("ExportTaskNotFound", `Export task ${id} not found`, 404);
      const answer = described(id, task);
      await advance(id, task);
      return { ExportTasks: [answer] };
    },
  };
};

/** Form fields of the query protocol as an object; `ExportOnly.member.1` makes a list. */
export const queryBody = (form: URLSearchParams): JsonObject => {
  const body: Record<string, JsonObject[string]> = {};
  for (const [name, value] of form) {
    const [, list] = /^(\w+)\.(?:member|\w+)\.\d+$/.exec(name) ?? [];
    if (list) body[list] = [...maybeList(body[list]), value];
    else body[name] = value;
  }
  return body;
};

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** How lists of the answers name their items. */
const itemNames: Readonly<Record<string, string>> = { ExportTasks: "ExportTask", DBClusters: "DBCluster" };

const xmlOf = (value: JsonObject[string], name: string): string => {
  if (Array.isArray(value))
    return `<${name}>${value.map((item) => xmlOf(item, itemNames[name] ?? "member")).join("")}</${name}>`;
  if (typeof value === "object" && value !== null)
    return `<${name}>${Object.entries(value)
      .map(([key, item]) => xmlOf(item, key))
      .join("")}</${name}>`;
  return `<${name}>${escaped(String(value))}</${name}>`;
};

/** An answer in the query protocol. RDS answers `StartExportTask` with the task itself. */
export const queryAnswer = (operation: string, answer: JsonObject[string]): string => {
  const metadata = `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;
  return `<${operation}Response>${xmlOf(answer, `${operation}Result`)}${metadata}</${operation}Response>`;
};
