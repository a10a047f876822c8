import {
  CancelTaskExecutionCommand,
  DataSyncClient,
  DescribeLocationEfsCommand,
  DescribeLocationS3Command,
  DescribeTaskCommand,
  type DescribeTaskCommandOutput,
  DescribeTaskExecutionCommand,
  type DescribeTaskExecutionCommandOutput,
  InvalidRequestException,
  StartTaskExecutionCommand,
} from "@aws-sdk/client-datasync";
import {
  ControlPlaneMissingError,
  ControlPlaneUnavailableError,
  InstallationBusyError,
  InvalidInputError,
  JobTimeoutError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { clientSettings } from "./clientSettings.ts";
import { controlPlaneFailure } from "./controlPlaneFailure.ts";
import { onFirstUse } from "./onFirstUse.ts";

/** How a task of DataSync has to be set up. */
export interface DataSyncSettings {
  /** ARN. */
  readonly task: string;
  /** ARN of the role with which DataSync reads a list. */
  readonly listRole: string;
  readonly source: { readonly fileSystemId: string; readonly accessPointId?: string | undefined };
  /** Of the destination of exports; `prefix` has no slash at its ends. */
  readonly bucket: string;
  readonly prefix: string;
  readonly now: () => Date;
  /** Waits between two looks. @throws when it is aborted */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const field = "exports.sites.dataSyncTask";
const lookEvery = 20_000;
/** The subnet's addresses, or an execution ahead of it, may keep one from beginning. */
const longestStart = 2 * 3_600_000;
/** Less than a workflow gives the container. */
const longest = 23 * 3_600_000;
/** Looks in a row that are not answered. */
const mostUnanswered = 5;

const started = new Set(["PREPARING", "TRANSFERRING", "VERIFYING"]);

/** `s3://bucket/prefix` and `efs://region.fs-1/folder` with one slash at the end. */
const withSlash = (uri: string | undefined): string => `${(uri ?? "").replace(/\/+$/, "")}/`;

/**
 * Copies files from EFS to S3 by a task of AWS DataSync that exists already. Each execution gets a list, copies what is on it
 * whatever lies at the destination, verifies that, and deletes nothing, however the task itself is set.
 *
 * Source: docs.aws.amazon.com/datasync/latest/userguide/transferring-with-manifest.html and API_Options.html there.
 */
export const dataSyncCopier = (settings: DataSyncSettings) => {
  const { task, listRole, source, bucket, prefix, now, wait } = settings;
  const [, partition = "aws", , region = ""] = task.split(":");
  const client = onFirstUse(() => new DataSyncClient({ ...clientSettings, region }));
  const at = (...parts: readonly string[]) => [prefix, ...parts].filter(Boolean).join("/");
  const refuse = (message: string): never => {
    throw new InvalidInputError([{ path: field, message }]);
  };

  /** @param absent what DataSync's plain "invalid request" means here */
  const ask = async <Answer>(work: () => Promise<Answer>, right: string, absent: string): Promise<Answer> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof InvalidRequestException) throw new ControlPlaneMissingError(absent, { cause: error });
      throw controlPlaneFailure(error, `asking DataSync about ${task}`, right);
    }
  };

  const assertOwnList = ({ Schedule, Includes, Excludes }: DescribeTaskCommandOutput): void => {
    if (Schedule && Schedule.Status !== "DISABLED")
      refuse("has a schedule, which copies everything, keys and passwords too; remove the schedule from the task");
    if ((Includes ?? []).length + (Excludes ?? []).length > 0)
      refuse("has filters, and takes lists of files here; remove the filters from the task");
  };

  const assertSource = async (LocationArn: string | undefined): Promise<void> => {
    const location = await ask(
      () => client().send(new DescribeLocationEfsCommand({ LocationArn })),
      "datasync:DescribeLocationEfs on its locations",
      `the source of ${task} is no EFS file system; expected ${source.fileSystemId}, as in sites.fileSystemId`,
    );
    const uri = withSlash(location.LocationUri);
    if (!uri.endsWith(`.${source.fileSystemId}/`))
      refuse(`copies from ${uri}; expected the root of ${source.fileSystemId}, as in sites.fileSystemId`);
    const accessPoint = location.AccessPointArn?.split("/").at(-1);
    if (accessPoint !== source.accessPointId)
      refuse(
        `copies through ${accessPoint ?? "no access point"}; expected ${source.accessPointId ?? "none"}, as in sites.accessPointId`,
      );
  };

  const assertDestination = async (LocationArn: string | undefined): Promise<void> => {
    const location = await ask(
      () => client().send(new DescribeLocationS3Command({ LocationArn })),
      "datasync:DescribeLocationS3 on its locations",
      `the destination of ${task} is no bucket; expected s3://${bucket}/${at("sites")}/`,
    );
    const uri = withSlash(location.LocationUri);
    const expected = `s3://${bucket}/${at("sites")}/`;
    if (uri !== expected) refuse(`copies to ${uri}; expected ${expected}, below exports.destination`);
  };

  const assertReady = async (): Promise<void> => {
    const described = await ask(
      () => client().send(new DescribeTaskCommand({ TaskArn: task })),
      "datasync:DescribeTask on it",
      `DataSync has no task ${task}; correct ${field}`,
    );
    assertOwnList(described);
    await assertSource(described.SourceLocationArn);
    await assertDestination(described.DestinationLocationArn);
    const { Status, CurrentTaskExecutionArn: running } = described;
    if (running !== undefined || Status === "RUNNING" || Status === "QUEUED")
      throw new InstallationBusyError(
        `${task} runs already${running ? ` (${running})` : ""}, and this job did not start it: wait until it has ended, or cancel it`,
      );
    if (Status !== "AVAILABLE")
      throw new ControlPlaneUnavailableError(`${task} is ${Status}; look in DataSync's console why, and try again`);
  };

  const start = async (key: string): Promise<string> => {
    const { TaskExecutionArn } = await ask(
      () =>
        client().send(
          new StartTaskExecutionCommand({
            TaskArn: task,
            OverrideOptions: {
              TransferMode: "ALL",
              VerifyMode: "ONLY_FILES_TRANSFERRED",
              OverwriteMode: "ALWAYS",
              PreserveDeletedFiles: "PRESERVE",
            },
            ManifestConfig: {
              Action: "TRANSFER",
              Format: "CSV",
              Source: {
                S3: {
                  ManifestObjectPath: at(key),
                  S3BucketArn: `arn:${partition}:s3:::${bucket}`,
                  BucketAccessRoleArn: listRole,
                },
              },
            },
          }),
        ),
      "datasync:StartTaskExecution on it, and iam:PassRole on the role that reads the list",
      `DataSync does not start ${task} with a list of files: look in its console whether the task is available and ${listRole} may read s3://${bucket}/${at(key)}`,
    );
    if (TaskExecutionArn === undefined)
      throw new ControlPlaneUnavailableError(`DataSync started ${task} without a name`);
    return TaskExecutionArn;
  };

  const cancel = (TaskExecutionArn: string) =>
    client()
      .send(new CancelTaskExecutionCommand({ TaskExecutionArn }))
      .catch(() => {}); // it may have ended by itself

  /** DataSync's words for an error can have names of files: its code is enough to look it up. */
  const assertWhole = (execution: string, answer: DescribeTaskExecutionCommandOutput): void => {
    const { Status, Result, FilesFailed } = answer;
    const failed = Object.values(FilesFailed ?? {}).reduce<number>((sum, count) => sum + (count ?? 0), 0);
    if (Status === "SUCCESS" && failed === 0) return;
    throw new ToolFailedError(
      `DataSync ended ${execution} with ${Status}${Result?.ErrorCode ? ` (${Result.ErrorCode})` : ""}${failed > 0 ? `, ${failed} file(s) failed` : ""}: read its log in CloudWatch, remove the cause, and export again`,
    );
  };

  const follow = async (
    execution: string,
    { signal, progress }: { readonly signal: AbortSignal; readonly progress: ReportProgress },
  ): Promise<void> => {
    const begun = now().getTime();
    let unanswered = 0;
    let isStarted = false;
    for (;;) {
      await wait(lookEvery, signal);
      const answer = await ask(
        () => client().send(new DescribeTaskExecutionCommand({ TaskExecutionArn: execution })),
        "datasync:DescribeTaskExecution on its executions",
        `DataSync no longer knows ${execution}`,
      ).catch((error: unknown) => {
        unanswered += 1;
        if (!(error instanceof ControlPlaneUnavailableError) || unanswered > mostUnanswered) throw error;
        return undefined;
      });
      const passed = now().getTime() - begun;
      if (answer) {
        unanswered = 0;
        const { Status = "", FilesTransferred: files = 0, BytesWritten: bytes = 0 } = answer;
        if (Status === "SUCCESS" || Status === "ERROR") return assertWhole(execution, answer);
        isStarted ||= started.has(Status);
        progress({ step: "sites", files, bytes, detail: `DataSync ${Status.toLowerCase()}` });
      }
      if (passed > (isStarted ? longest : longestStart))
        throw new JobTimeoutError(
          `${execution} has not ${isStarted ? "ended" : "begun"} after ${Math.round(passed / 3_600_000)} hours and was cancelled: look in DataSync's console what it waits for`,
        );
    }
  };

  return {
    assertReady,
    copy: async (
      { key }: { readonly key: string },
      surroundings: { readonly signal: AbortSignal; readonly progress: ReportProgress },
    ): Promise<void> => {
      const execution = await start(key);
      try {
        await follow(execution, surroundings);
      } catch (error) {
        if (!(error instanceof ToolFailedError)) await cancel(execution);
        throw error;
      }
    },
  };
};
