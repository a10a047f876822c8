import { RDSClient } from "@aws-sdk/client-rds";
import { rdsExports } from "@openemr-ops/aws/rdsExports";
import { describe, expect, it } from "vitest";

const cluster = "arn:aws:rds:eu-central-1:123456789012:cluster:clinic-a";

/** RDS as it answers: a status and a text in XML. */
const answering = (...answers: readonly { readonly status?: number; readonly xml: string }[]) => {
  const asked: URLSearchParams[] = [];
  const rest = [...answers];
  const client = new RDSClient({
    region: "eu-central-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { readonly body?: string }) => {
        asked.push(new URLSearchParams(String(request.body)));
        const { status = 200, xml = "" } = rest.shift() ?? {};
        const { Readable } = await import("node:stream");
        return { response: { statusCode: status, headers: {}, body: Readable.from([Buffer.from(xml)]) } };
      },
    } as never,
  });
  return { asked, exports: rdsExports({ cluster, role: "role", key: "key", bucket: "exports", client }) };
};

const fault = (code: string) => ({
  status: 400,
  xml: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
});
const tasks = (...described: readonly string[]) => ({
  xml: `<DescribeExportTasksResponse><DescribeExportTasksResult><ExportTasks>${described
    .map((one) => `<ExportTask>${one}</ExportTask>`)
    .join("")}</ExportTasks></DescribeExportTasksResult></DescribeExportTasksResponse>`,
});
const request = { identifier: "e-clinic-a-1", prefix: "analytics/database/1", only: ["openemr.a", "openemr.b"] };

describe("exports of RDS", () => {
  it("are asked for with the role, the key, a prefix and the tables", async () => {
    const { asked, exports } = answering({ xml: "<StartExportTaskResponse/>" });
    await exports.start(request);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      Action: "StartExportTask",
      ExportTaskIdentifier: "e-clinic-a-1",
      SourceArn: cluster,
      S3BucketName: "exports",
      S3Prefix: "analytics/database/1",
      IamRoleArn: "role",
      KmsKeyId: "key",
      "ExportOnly.member.1": "openemr.a",
      "ExportOnly.member.2": "openemr.b",
    });
  });

  it("are started once, however often they are asked for", async () => {
    const { exports } = answering(fault("ExportTaskAlreadyExists"));
    await expect(exports.start(request)).resolves.toBeUndefined();
  });

  it.each([
    ["IamRoleMissingPermissions", "ControlPlaneAccessDeniedError", /write below database\//],
    ["IamRoleNotFound", "ControlPlaneAccessDeniedError", /deploy the installation again/],
    ["InvalidS3BucketFault", "ControlPlaneAccessDeniedError", /the bucket is missing/],
    ["KMSKeyNotAccessibleFault", "ControlPlaneAccessDeniedError", /kms:CreateGrant/],
    ["DBClusterNotFoundFault", "ControlPlaneMissingError", /correct database\.host/],
    ["InvalidExportOnly", "InvalidInputError", /cannot export them/],
    ["InvalidExportSourceStateFault", "DatabaseUnavailableError", /in its present state/],
    ["AccessDenied", "ControlPlaneAccessDeniedError", /rds:StartExportTask/],
    ["Throttling", "ControlPlaneUnavailableError", /try again later/],
  ])("are refused by name: %s is %s", async (code, name, message) => {
    const { exports } = answering(fault(code));
    await expect(exports.start(request)).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  it("are found by their identifier, with all that RDS says of them", async () => {
    const { exports } = answering(
      tasks(
        `<ExportTaskIdentifier>e-clinic-a-1</ExportTaskIdentifier><Status>FAILED</Status><SourceArn>${cluster}</SourceArn><PercentProgress>7</PercentProgress><FailureCause>why</FailureCause><WarningMessage>mind</WarningMessage>`,
      ),
      fault("ExportTaskNotFound"),
    );
    expect(await exports.find("e-clinic-a-1")).toMatchObject({
      status: "FAILED",
      source: cluster,
      percent: 7,
      failure: "why",
      warning: "mind",
    });
    expect(await exports.find("e-clinic-a-2")).toBeUndefined();
  });

  it("count as running until they have ended, whoever started them", async () => {
    const one = (name: string, status: string) =>
      `<ExportTaskIdentifier>${name}</ExportTaskIdentifier><Status>${status}</Status>`;
    const { exports } = answering(
      tasks(
        one("a", "STARTING"),
        one("b", "IN_PROGRESS"),
        one("c", "COMPLETE"),
        one("d", "CANCELED"),
        one("e", "FAILED"),
      ),
    );
    expect((await exports.running()).map(({ identifier }) => identifier)).toEqual(["a", "b"]);
  });
});
