import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { type HospitalCloud, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const clinic = "clinic-a";
const bucket = `sagemaker-${clinic}`;

/** Grants that nothing here can use, with the reason. */
const unusable: readonly { readonly action: RegExp; readonly role?: RegExp; readonly why: string }[] = [
  { action: /^(logs|xray):|^kms:(?!CreateGrant)/, why: "AWS's own, or nothing is encrypted here" },
  {
    action: /^s3:(AbortMultipartUpload|ListMultipartUploadParts|GetBucketLocation)$/,
    why: "after an upload broke off",
  },
  { action: /^s3:(DeleteObject\*|GetObject\*|ListBucket)$/, role: /-RdsExp/, why: "RDS demands them" },
];

describe("a deployed clinic whose cluster RDS exports", () => {
  let directory: string;
  let place: HospitalCloud;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-rds-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      cluster: `${clinic}.cluster-cabcdefghijk.us-east-1.rds.amazonaws.com`,
      cloud: { retryScale: 0.001, waitScale: 0.001 },
      exports: (id) => ({
        destination: `s3://sagemaker-${id}/analytics`,
        region: "us-east-1",
        pathStyle: true,
        createBucket: true,
        database: { engine: "aurora" },
      }),
      // The catalogue is read where the cluster's rows are.
      taskEnvironment: ({ OPENEMR_OPS_CONFIG_JSON: text = "{}" }) => ({
        OPENEMR_OPS_CONFIG_JSON: text.replace(
          `${clinic}.cluster-cabcdefghijk.us-east-1.rds.amazonaws.com`,
          "127.0.0.1",
        ),
      }),
    });
    const { name } = place.estate.database;
    await place.server.query(`CREATE TABLE ${name}.module_odd (id INT PRIMARY KEY, \`a name; odd\` INT)`);
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const output = (name: string): string => place.cloud.output(`InstallationStack-${clinic}`, name);
  const client = () => {
    const notebook = place.cloud.environmentOf(output("NotebookRoleArn"));
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN = "" } = notebook;
    const credentials = {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      sessionToken: AWS_SESSION_TOKEN,
    };
    return { endpoint: place.cloud.endpoint, region: place.cloud.region, credentials };
  };
  const call = async (name: string, event: unknown = {}) => {
    const command = new InvokeCommand({ FunctionName: output(name), Payload: JSON.stringify(event) });
    const { Payload } = await new LambdaClient(client()).send(command);
    return JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
  };

  it("gets whole tables without a secret, and the name of every table that stayed", async () => {
    const started = await call("RDStoS3ExportFunction");
    expect(started).toMatchObject({ ExportTaskIdentifier: expect.stringMatching(/^e-clinic-a-/), Status: "STARTING" });
    await place.cloud.idle();
    const status = await call("ExportStatusFunction", started.ExportTaskIdentifier);
    expect(status).toMatchObject({
      state: "succeeded",
      profile: "full",
      steps: expect.arrayContaining([expect.objectContaining({ name: "rds running", figures: { percent: 40 } })]),
    });
    const reasons = new Map<string, string>(
      status.skipped.map(({ table, reason }: { table: string; reason: string }) => [table, reason]),
    );
    expect(reasons.get("keys")).toMatch(/keys and credentials/);
    expect(reasons.get("globals")).toMatch(/engine aurora copies whole tables/);
    expect(reasons.get("module_odd")).toBe("column name a name; odd is not supported");

    const s3 = new S3Client({ ...client(), forcePathStyle: true });
    const prefix = status.location.replace(`s3://${bucket}/`, "");
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
    const keys = Contents.map(({ Key = "" }) => Key.slice(prefix.length + 1));
    expect(keys).toEqual(expect.arrayContaining(["_SUCCESS", "_manifest.json", "_plan.json"]));
    const tables = new Set(keys.flatMap((key) => /\/\w+\.(\w+)\/1\/part-\d+.*\.parquet$/.exec(key)?.[1] ?? []));
    expect(tables.size).toBe(status.figures.tables);
    for (const table of reasons.keys()) expect(tables).not.toContain(table);

    const part = Contents.find(({ Key = "" }) => /\.patient_data\/1\//.test(Key))?.Key;
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: part }));
    const bytes = await Body?.transformToByteArray();
    const file = new Uint8Array(bytes ?? []).buffer;
    const rows = await parquetReadObjects({
      file,
      compressors: { GZIP: (packed) => new Uint8Array(gunzipSync(packed)) },
    });
    const [{ patients } = {}] = await place.server.query(
      `SELECT COUNT(*) AS patients FROM ${place.estate.database.name}.patient_data`,
    );
    expect(rows).toHaveLength(Number(patients));
  });

  it("needed the rights of its roles, all of them and no other", () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);
    const spare = cloud
      .unusedGrants()
      .filter(({ role }) => /-Follow|-RdsExp/.test(role))
      .filter(({ role, action }) => !unusable.some((one) => one.action.test(action) && (one.role?.test(role) ?? true)))
      .map(({ role, action, resources }) => `${role}: ${action} on ${resources.join(", ")}`);
    expect(spare).toEqual([]);
    const known = cloud.unusedGrants().filter(({ role }) => /-Follow|-RdsExp/.test(role));
    expect(new Set(known.map(({ role }) => role)).size).toBe(2); // its roles are known by these names
  });

  it("fails by its name when RDS may not write", async () => {
    const lift = place.cloud.faults.api("rds:StartExportTask", { code: "IamRoleMissingPermissions" });
    const { JobId } = await call("RDStoS3ExportFunction");
    await place.cloud.idle();
    lift();
    expect(await call("ExportStatusFunction", JobId)).toMatchObject({
      state: "failed",
      error: {
        name: "ControlPlaneAccessDeniedError",
        message: expect.stringMatching(/IamRoleMissingPermissions.*allow the export's role to write/),
      },
    });
  });
});
