import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { repositoryRoot } from "@openemr-ops/local/tools/findTool";
import { type HospitalCloud, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyticsPython } from "../support/analyticsPython.ts";
import { documentedBlocks } from "../support/documentedBlocks.ts";

const clinic = "clinic-a";
const stack = `InstallationStack-${clinic}`;
const outputs = ["EFStoS3ExportFunction", "RDStoS3ExportFunction", "ExportStatusFunction", "NotebookRoleArn"] as const;
type Output = (typeof outputs)[number];

/** Grants of the exports' roles that nothing here can use, with the reason. */
const unusable: readonly { readonly action: RegExp; readonly role?: RegExp; readonly why: string }[] = [
  { action: /^(logs|xray|ecr):/, why: "AWS itself writes logs and traces and fetches images under these roles" },
  { action: /^kms:/, why: "nothing is encrypted here; the table's key is asked for kms:Decrypt alone" },
  { action: /^s3:(AbortMultipartUpload|ListMultipartUploadParts)$/, why: "only of use after an upload broke off" },
  { action: /^s3:GetBucketLocation$/, why: "asked only where the configuration names no region, or residency binds" },
  { action: /^s3:ListBucket$/, role: /-Report-/, why: "of two, one only tells an absent seal from a forbidden one" },
  { action: /^states:SendTaskFailure$/, why: "one of both exports fails here, in the words of both" },
];
const ofExports = /-Export|-EFSto|-RDSto|-Notebook/;

describe("a deployed clinic with exports", () => {
  let directory: string;
  let place: HospitalCloud;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-exports-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      cloud: { retryScale: 0.001 },
      exports: (id) => ({
        destination: `s3://sagemaker-${id}/analytics`,
        region: "us-east-1",
        pathStyle: true,
        createBucket: true,
      }),
    });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const output = (name: Output): string => place.cloud.output(stack, name);
  /** Variables of a notebook, and nothing of the person who tests. */
  const notebook = () => place.cloud.environmentOf(output("NotebookRoleArn"));
  const client = () => {
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN = "" } = notebook();
    return {
      endpoint: place.cloud.endpoint,
      region: place.cloud.region,
      credentials: {
        accessKeyId: AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        sessionToken: AWS_SESSION_TOKEN,
      },
    };
  };
  /** What a function answers to a notebook; an error by its type and message. */
  const call = async (name: Output, event?: unknown) => {
    const { Payload, FunctionError } = await new LambdaClient(client()).send(
      new InvokeCommand({
        FunctionName: output(name),
        ...(event === undefined ? {} : { Payload: JSON.stringify(event) }),
      }),
    );
    const answer = JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
    return FunctionError === undefined ? answer : { failed: `${answer.errorType}: ${answer.errorMessage}` };
  };
  const ended = async () => {
    await place.cloud.idle();
  };

  it("does all that the page's notebook does, under the notebook's own role", async () => {
    const page = await readFile(join(repositoryRoot, "docs/exports-aws.md"), "utf8");
    const program = documentedBlocks(page).map((block) => block.text);
    expect(program.length).toBeGreaterThan(2);
    const answers = outputs.map((OutputKey) => ({ OutputKey, OutputValue: output(OutputKey) }));
    await writeFile(join(directory, "outputs.json"), JSON.stringify(answers));
    const faster = "import time; real = time.sleep; time.sleep = lambda seconds: real(seconds / 50)";
    const child = spawn(analyticsPython(), ["-"], {
      cwd: directory,
      env: { ...notebook(), HOME: directory, PATH: process.env.PATH },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.end([faster, ...program, "print(json.dumps([files_task, database_export]))"].join("\n"));
    const [said, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });

    const lines = said.trim().split("\n");
    const [task, started] = JSON.parse(lines.at(-1) ?? "[]");
    expect(task).toMatch(/^arn:aws:ecs:us-east-1:123456789012:task\/openemr\/[0-9a-f]{32}$/);
    expect(started).toMatchObject({
      ExportTaskIdentifier: expect.stringMatching(/^e-clinic-a-[0-9a-z]{26}$/),
      S3Bucket: `sagemaker-${clinic}`,
      S3Prefix: "analytics/database",
      Status: "STARTING",
      TaskStartTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    const [{ patients } = {}] = await place.server.query(
      `SELECT COUNT(*) AS patients FROM ${place.estate.database.name}.patient_data`,
    );
    expect(lines.at(-2)).toMatch(new RegExp(`^${patients} patients, [1-9]\\d* files$`));
    expect(said).toMatch(/^left out: keys because /m);
  });

  it("joins an export that runs, and two calls at once are one", async () => {
    const before = place.cloud.executions().length;
    const tasks = await Promise.all([call("EFStoS3ExportFunction", {}), call("EFStoS3ExportFunction")]);
    expect(tasks[0]).toBe(tasks[1]);
    expect(place.cloud.executions()).toHaveLength(before + 1);
    await ended();
    const status = await call("ExportStatusFunction", tasks[0]);
    expect(status).toMatchObject({ export: "sites", state: "succeeded", figures: { uploaded: 0 } });
    expect(await call("EFStoS3ExportFunction", "any event")).not.toBe(tasks[0]);
    await ended();
  });

  it("is asked for by each name of an export, or by none", async () => {
    const started = await call("RDStoS3ExportFunction", { Records: [] });
    await ended();
    const asked = [started, started.TaskArn, { jobId: started.JobId }, started.ExportTaskIdentifier];
    const answers = await Promise.all(asked.map((event) => call("ExportStatusFunction", event)));
    for (const answer of answers) expect(answer).toMatchObject({ jobId: started.JobId, state: "succeeded" });
    const { exports } = await call("ExportStatusFunction");
    expect(exports).toEqual([answers[0], expect.objectContaining({ export: "sites" })]);
  });

  it("refuses what is none of its exports, and another clinic, by the field", async () => {
    expect(await call("ExportStatusFunction", { jobId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" })).toEqual({
      failed: "InvalidInputError: jobId: is no export of clinic-a; expected jobId, taskArn or exportTaskIdentifier",
    });
    for (const name of ["EFStoS3ExportFunction", "RDStoS3ExportFunction", "ExportStatusFunction"] as const)
      expect(await call(name, { installation: "clinic-b" })).toEqual({
        failed: 'InvalidInputError: installation: expected "clinic-a", whose function this is, or nothing',
      });
  });

  it("says by its name why an export does not start", async () => {
    const lift = place.cloud.faults.runTask({ name: "ECS.InvalidParameterException" });
    const failed = await call("EFStoS3ExportFunction");
    lift();
    expect(failed).toEqual({ failed: expect.stringMatching(/^TaskNotStartedError: /) });
    await ended();
  });

  it("says by its name why an export failed", async () => {
    await place.cloud.putSecret(`${clinic}/dump`, "forgotten");
    const { JobId } = await call("RDStoS3ExportFunction");
    await ended();
    await place.cloud.putSecret(`${clinic}/dump`, place.estate.dumpLogin.password);
    expect(await call("ExportStatusFunction", JobId)).toMatchObject({
      state: "failed",
      error: { name: "DatabaseAccessDeniedError", message: expect.any(String) },
    });
  });

  it("has its exports read by a report, which needs no row and no file of theirs", async () => {
    const execution = await place.cloud.waitForExecution(place.cloud.start(place.machine("report"), {}), 60_000);
    await ended();
    expect(execution).toMatchObject({
      status: "FAILED",
      error: "DestinationMissingError",
      cause: expect.stringMatching(/^no dump of clinic-a is at s3:/), // it comes after all was read
    });
  });

  it("needed the rights of its roles, all of them and no other", () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);
    const ofReport = ({ role, resources }: { readonly role: string; readonly resources: readonly string[] }) =>
      /-Report-/.test(role) && resources.join().includes(":sagemaker-");
    const spare = cloud
      .unusedGrants()
      .filter((grant) => ofExports.test(grant.role) || ofReport(grant))
      .filter(({ action, role }) => !unusable.some((one) => one.action.test(action) && (one.role?.test(role) ?? true)))
      .map(({ role, action, resources }) => `${role}: ${action} on ${resources.join(", ")}`);
    expect(spare).toEqual([]);
    expect(
      new Set(
        cloud
          .unusedGrants()
          .filter(({ role }) => ofExports.test(role))
          .map(({ role }) => role),
      ).size,
    ).toBeGreaterThan(6); // its roles are known by these names; one that used every right is not here
  });

  it("lets a notebook read the exports, and nothing else in the account", async () => {
    const s3 = new S3Client({ ...client(), forcePathStyle: true });
    const bucket = `sagemaker-${clinic}`;
    const tries = [
      new GetObjectCommand({ Bucket: "dumps-of-hospitals", Key: `${clinic}/config` }),
      new GetObjectCommand({ Bucket: bucket, Key: "elsewhere/file" }),
      new PutObjectCommand({ Bucket: bucket, Key: "analytics/sites/_SUCCESS", Body: "done" }),
    ];
    for (const command of tries)
      await expect(s3.send(command as GetObjectCommand)).rejects.toMatchObject({ name: "AccessDenied" });
    const begin = place.cloud.executions()[0]?.machine.definition ?? {};
    const [, other = ""] = /"FunctionName":"(arn:[^"]*Begin[^"]*)"/.exec(JSON.stringify(begin)) ?? [];
    expect(other).not.toBe("");
    await expect(
      new LambdaClient(client()).send(new InvokeCommand({ FunctionName: other, Payload: "{}" })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
  });
});
