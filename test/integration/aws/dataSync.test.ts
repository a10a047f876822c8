import { type DataSyncSettings, dataSyncCopier } from "@openemr-ops/aws/dataSync";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { startAwsStub } from "../../support/awsStub.ts";
import {
  aDataSync,
  answerAsDataSync,
  type DataSyncState,
  dataSyncExecution,
  dataSyncTask,
} from "../../support/dataSyncDouble.ts";

const list = { key: "sites/_inventory/one-files.csv", files: 2, bytes: 20 };

afterEach(() => {
  vi.unstubAllEnvs();
});

const openDataSync = async (changes: Partial<DataSyncState> = {}, settings: Partial<DataSyncSettings> = {}) => {
  const stub = await startAwsStub(answerAsDataSync(aDataSync(changes)));
  onTestFinished(() => stub[Symbol.asyncDispose]());
  vi.stubEnv("AWS_ENDPOINT_URL", stub.url);
  vi.stubEnv("AWS_ACCESS_KEY_ID", "a");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "b");
  let time = Date.parse("2026-11-27T04:00:00Z");
  const copier = dataSyncCopier({
    task: dataSyncTask,
    listRole: "arn:aws:iam::123456789012:role/list",
    source: { fileSystemId: "fs-0123456789abcdef0", accessPointId: "fsap-0123456789abcdef0" },
    bucket: "sagemaker-clinic-a",
    prefix: "analytics",
    now: () => new Date(time),
    wait: async (milliseconds, signal) => {
      signal.throwIfAborted();
      time += milliseconds;
    },
    ...settings,
  });
  const told: object[] = [];
  const copy = (signal = new AbortController().signal) =>
    copier.copy(list, { signal, progress: (one) => void told.push(one) });
  return { copier, copy, told, calls: stub.calls, actions: () => stub.calls.map(({ action }) => action) };
};

const task = (changes: object) => ({ ...(aDataSync().task as object), ...changes });
const source = (changes: object) => ({ ...(aDataSync().source as object), ...changes });

describe("a task of DataSync", () => {
  it("is ready where it copies from this file system to this destination, and only what it is given", async () => {
    const { copier, actions } = await openDataSync();
    await copier.assertReady();
    expect(actions()).toEqual(["DescribeTask", "DescribeLocationEfs", "DescribeLocationS3"]);
  });

  it.each<[string, Partial<DataSyncState>, string, RegExp]>([
    [
      "is absent",
      { task: "absent" },
      "ControlPlaneMissingError",
      /has no task .*; correct exports\.sites\.dataSyncTask/,
    ],
    [
      "has a schedule",
      { task: task({ Schedule: { ScheduleExpression: "rate(1 day)" } }) },
      "InvalidInputError",
      /has a schedule/,
    ],
    [
      "has filters",
      { task: task({ Excludes: [{ FilterType: "SIMPLE_PATTERN", Value: "/x" }] }) },
      "InvalidInputError",
      /has filters/,
    ],
    [
      "reads something else than EFS",
      { source: "absent" },
      "ControlPlaneMissingError",
      /no EFS file system; expected fs-0123/,
    ],
    [
      "reads another file system",
      { source: source({ LocationUri: "efs://eu-central-1.fs-0ffffffffffffffff/" }) },
      "InvalidInputError",
      /copies from efs:.*expected the root of fs-0123/,
    ],
    [
      "reads a folder of it",
      { source: source({ LocationUri: "efs://eu-central-1.fs-0123456789abcdef0/sites/" }) },
      "InvalidInputError",
      /expected the root of fs-0123/,
    ],
    [
      "reads past the access point",
      { source: source({ AccessPointArn: undefined }) },
      "InvalidInputError",
      /through no access point; expected fsap-0123/,
    ],
    ["writes to no bucket", { destination: "absent" }, "ControlPlaneMissingError", /is no bucket/],
    [
      "writes elsewhere",
      { destination: { LocationUri: "s3://sagemaker-clinic-b/analytics/sites/" } },
      "InvalidInputError",
      /copies to s3:\/\/sagemaker-clinic-b.*expected s3:\/\/sagemaker-clinic-a\/analytics\/sites\//,
    ],
    [
      "writes beside the files of exports",
      { destination: { LocationUri: "s3://sagemaker-clinic-a/analytics/" } },
      "InvalidInputError",
      /expected s3:\/\/sagemaker-clinic-a\/analytics\/sites\//,
    ],
    [
      "runs already",
      { task: task({ Status: "RUNNING", CurrentTaskExecutionArn: dataSyncExecution }) },
      "InstallationBusyError",
      /runs already \(arn:.*exec-1/,
    ],
    ["is not available", { task: task({ Status: "UNAVAILABLE" }) }, "ControlPlaneUnavailableError", /is UNAVAILABLE/],
  ])("is refused that %s", async (_, changes, name, says) => {
    const { copier, actions } = await openDataSync(changes);
    await expect(copier.assertReady()).rejects.toMatchObject({ name, message: expect.stringMatching(says) });
    expect(actions()).not.toContain("StartTaskExecution");
  });

  it("gets the list, copies all of it, verifies it, deletes nothing, and is followed to its end", async () => {
    const looks = [
      { Status: "LAUNCHING" },
      "throttled" as const,
      { Status: "TRANSFERRING", FilesTransferred: 1, BytesWritten: 10 },
      { Status: "SUCCESS" },
    ];
    const { copy, calls, told } = await openDataSync({ looks });
    await copy();
    expect(calls[0]).toMatchObject({
      action: "StartTaskExecution",
      input: {
        TaskArn: dataSyncTask,
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
              ManifestObjectPath: "analytics/sites/_inventory/one-files.csv",
              S3BucketArn: "arn:aws:s3:::sagemaker-clinic-a",
              BucketAccessRoleArn: "arn:aws:iam::123456789012:role/list",
            },
          },
        },
      },
    });
    expect(told.at(-1)).toMatchObject({ step: "sites", files: 1, bytes: 10, detail: "DataSync transferring" });
  });

  it.each<[string, Partial<DataSyncState>, string, RegExp, boolean]>([
    [
      "does not start",
      { start: "refused" },
      "ControlPlaneMissingError",
      /does not start .* may read s3:\/\/sagemaker-clinic-a\/analytics\/sites\/_inventory/,
      false,
    ],
    [
      "ends with an error",
      {
        looks: [
          { Status: "ERROR", Result: { ErrorCode: "OpNotSupp", ErrorDetail: "/default/documents/Jane Doe.pdf" } },
        ],
      },
      "ToolFailedError",
      /with ERROR \(OpNotSupp\)/,
      false,
    ],
    [
      "has files that failed",
      { looks: [{ Status: "SUCCESS", FilesFailed: { Transfer: 2, Verify: 1 } }] },
      "ToolFailedError",
      /3 file\(s\) failed/,
      false,
    ],
    [
      "never begins",
      { looks: [{ Status: "LAUNCHING" }] },
      "JobTimeoutError",
      /has not begun after 2 hours and was cancelled/,
      true,
    ],
    [
      "never ends",
      { looks: [{ Status: "TRANSFERRING" }] },
      "JobTimeoutError",
      /has not ended after 23 hours and was cancelled/,
      true,
    ],
    ["is not answered any more", { looks: ["throttled"] }, "ControlPlaneUnavailableError", /InternalException/, true],
  ])("fails by name where an execution %s", async (_, changes, name, says, cancelled) => {
    const { copy, actions } = await openDataSync(changes);
    const error = await copy().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ name, message: expect.stringMatching(says) });
    expect(String(error)).not.toMatch(/Jane Doe|patient's name/);
    expect(actions().includes("CancelTaskExecution")).toBe(cancelled);
  });

  it("is cancelled when the job is stopped", async () => {
    const { copy, actions } = await openDataSync();
    await expect(copy(AbortSignal.abort(new Error("stopped by hand")))).rejects.toThrow("stopped by hand");
    expect(actions()).toEqual(["StartTaskExecution", "CancelTaskExecution"]);
  });
});
