import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { namesOf } from "@openemr-ops/core/names";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import { newRelease } from "@openemr-ops/local/servers/openEmrPages";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import { type HospitalCloud, hospitalStage, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { opens } from "@openemr-ops/openemr/passwordHash";
import { parseSqlconf } from "@openemr-ops/openemr/sqlconf";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decidedElsewhere } from "../support/decidedElsewhere.ts";

const service = "openemr/openemr";

/** A rotation starts containers, some after one another. */
const patience = 600_000;

describe("a deployed clinic whose credentials are rotated", { timeout: patience }, () => {
  let directory: string;
  let place: HospitalCloud;
  let secrets: SecretsManagerClient;
  const passwords = new Set<string>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-rotations-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      rotations: true,
      cloud: { retryScale: 0.001, waitScale: 0.001 },
    });
    secrets = new SecretsManagerClient({
      endpoint: place.cloud.moto,
      region: place.cloud.region,
      credentials: { accessKeyId: "local", secretAccessKey: "local-only" },
    });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (kind: WorkflowKind, input: Readonly<Record<string, boolean>> = {}): Promise<Execution> => {
    const { cloud } = place;
    const execution = await cloud.waitForExecution(cloud.start(place.machine(kind), input), patience);
    await cloud.idle();
    await noteSecrets();
    return execution;
  };
  const sqlconf = async () => parseSqlconf(await readFile(join(place.estate.sitesPath, "default/sqlconf.php")));
  /** What OpenEMR does with each request. @throws what the server says */
  const logIn = async ({ login, pass }: { readonly login: string; readonly pass: string }) => {
    const { host, port } = place.server;
    const connection = await mysql.createConnection({ host, port, user: login, password: pass, database: "openemr" });
    await connection.query("SELECT COUNT(*) FROM version");
    await connection.end();
  };
  const secretText = async (name: string, VersionStage = "AWSCURRENT"): Promise<string | undefined> => {
    const value = await secrets
      .send(new GetSecretValueCommand({ SecretId: `clinic-a/${name}`, VersionStage }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
    return value?.SecretString;
  };
  const textOf = (stage: string) => secretText("slots", stage);
  /** Every password that was ever anywhere, for the search at the end. */
  const noteSecrets = async () => {
    passwords.add((await sqlconf()).pass);
    for (const text of [await textOf("AWSCURRENT"), await textOf("AWSPENDING")])
      for (const [, password = ""] of (text ?? "").matchAll(/"password":\s*"([^"]+)"/g)) passwords.add(password);
  };
  const slots = async () => JSON.parse((await textOf("AWSCURRENT")) ?? "{}");
  const told = () => JSON.stringify(place.slack.seen.slice(-3).map(({ body }) => body));
  /** Answers that OpenEMR is broken while this holds. */
  const brokenWhile = (broken: () => Promise<boolean>) =>
    place.openEmr.serve({
      ...newRelease(),
      "/meta/health/readyz": (response) => {
        broken().then(
          (is) => response.end(String(newRelease(is ? { database: false } : {})["/meta/health/readyz"])),
          () => response.writeHead(500).end(),
        );
      },
    });

  it("is shown what would be done, and nothing is", async () => {
    const before = await sqlconf();
    await noteSecrets();
    expect(await run("rotateDatabase", { dryRun: true })).toMatchObject({ status: "SUCCEEDED" });
    expect(await sqlconf()).toEqual(before);
    expect(await textOf("AWSCURRENT")).toBeUndefined();
    expect(told()).toContain("dry run");
  });

  it("gets another database user from StartExecution with {} to the message in Slack, and then back", async () => {
    const first = await sqlconf();
    let replaced = 0;
    place.cloud.putEcsService(service, 2, { onReplaced: () => replaced++ });
    const execution = await run("rotateDatabase");
    expect(execution).toMatchObject({ status: "SUCCEEDED" });
    const second = await sqlconf();
    expect(second.login).not.toBe(first.login);
    await logIn(second);
    await expect(logIn(first)).rejects.toThrow(/Access denied/);
    const { active_slot: active, ...kept } = await slots();
    expect(kept[active]).toMatchObject({ username: second.login, password: second.pass });
    expect(replaced).toBe(1);
    expect(told()).toContain("Rotation of the database user of clinic-a succeeded");
    expect(told()).toContain(second.login);

    await run("rotateDatabase");
    const third = await sqlconf();
    expect(third.login).toBe(first.login);
    await logIn(third);
    await expect(logIn(second)).rejects.toThrow(/Access denied/);
    expect(await slots()).toMatchObject({ active_slot: active === "A" ? "B" : "A" });
  });

  /** A step as Secrets Manager asks for it. */
  const step = async (Step: string, ClientRequestToken: string) => {
    const { endpoint, region, account } = place.cloud;
    const SecretId = `arn:aws:secretsmanager:${region}:${account}:secret:clinic-a/slots-AbCdEf`;
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN } = place.environment();
    const credentials = {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
    };
    const { Payload } = await new LambdaClient({ endpoint, region, credentials }).send(
      new InvokeCommand({
        FunctionName: place.cloud.output("InstallationStack-clinic-a", "RotateSecretFunctionArn"),
        Payload: JSON.stringify({ Step, SecretId, ClientRequestToken }),
      }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
  };

  it("gets another database user, once, from the button of Secrets Manager, each of whose steps comes twice", async () => {
    const { cloud } = place;
    const machine = place.machine("rotateDatabase");
    const jobs = () => cloud.executions().filter(({ arn }) => arn.includes(`:${machine}:`)).length;
    const [before, count] = [await sqlconf(), jobs()];
    const token = randomUUID();
    expect(await step("testSecret", randomUUID())).toMatchObject({ state: "none" }); // it is tried when it is attached
    for (const name of ["createSecret", "createSecret", "setSecret", "setSecret", "testSecret", "testSecret"])
      expect(await step(name, token)).toMatchObject({ jobId: token });
    await cloud.idle();
    for (const name of ["finishSecret", "finishSecret"])
      expect(await step(name, token)).toEqual({ jobId: token, state: "succeeded" });
    await noteSecrets();
    expect(jobs()).toBe(count + 1);
    const after = await sqlconf();
    expect(after.login).not.toBe(before.login);
    await logIn(after);
    await expect(logIn(before)).rejects.toThrow(/Access denied/);
    const { active_slot: active, ...kept } = await slots();
    expect(kept[active]).toMatchObject({ username: after.login, password: after.pass });
    expect(kept).not.toHaveProperty("requested");
    expect(await textOf("AWSPENDING")).toBeUndefined();
  });

  it("shows Secrets Manager why the job of its button failed", async () => {
    const token = randomUUID();
    place.cloud.putEcsService(service, 0);
    await step("createSecret", token);
    await step("setSecret", token);
    await place.cloud.idle();
    for (const name of ["testSecret", "finishSecret"])
      expect(await step(name, token)).toMatchObject({ errorType: "ServiceScaledToZeroError" });
    place.cloud.putEcsService(service, 2);
  });

  it("keeps its user where ECS goes back to the tasks before, and Slack says what to do", async () => {
    const before = await sqlconf();
    const { active_slot: active } = await slots();
    place.cloud.putEcsService(service, 2, { rollout: "rollsBack" });
    const failed = await run("rotateDatabase");
    expect(failed).toMatchObject({ status: "FAILED", error: "DeploymentRolledBackError" });
    expect(failed.cause).toContain(`OpenEMR uses the database user ${before.login}`);
    expect(await sqlconf()).toEqual(before);
    await logIn(before);
    expect(await slots()).toMatchObject({ active_slot: active, [active]: { password: before.pass } });
    expect(told()).toContain("DeploymentRolledBackError");
    expect(told()).toContain("Read why the tasks of the new deployment stopped");
  });

  it("keeps its user where OpenEMR does not work with the other one, and finishes that rotation later", async () => {
    const before = await sqlconf();
    let replaced = false;
    place.cloud.putEcsService(service, 1, {
      onReplaced: () => {
        replaced = true;
      },
    });
    brokenWhile(async () => replaced && (await sqlconf()).login !== before.login);
    const failed = await run("rotateDatabase");
    expect(failed).toMatchObject({ status: "FAILED", error: "InstallationUnhealthyError" });
    expect(failed.cause).toContain(`OpenEMR uses the database user ${before.login}`);
    expect(await sqlconf()).toEqual(before);
    await logIn(before);
    expect(told()).toContain("InstallationUnhealthyError");

    brokenWhile(async () => false);
    expect(await run("rotateDatabase")).toMatchObject({ status: "SUCCEEDED" });
    expect((await sqlconf()).login).not.toBe(before.login);
    await logIn(await sqlconf());
  });

  it("is not touched where the service runs no task", async () => {
    const before = await sqlconf();
    place.cloud.putEcsService(service, 0);
    expect(await run("rotateDatabase")).toMatchObject({ status: "FAILED", error: "ServiceScaledToZeroError" });
    expect(await run("redeploy")).toMatchObject({ status: "FAILED", error: "ServiceScaledToZeroError" });
    expect(await sqlconf()).toEqual(before);
  });

  it("is deployed anew, and a deployment that stands still fails after its time", async () => {
    place.cloud.putEcsService(service, 2);
    const done = await run("redeploy");
    expect(done).toMatchObject({ status: "SUCCEEDED" });
    expect(JSON.stringify(done.history)).toContain("Follow deployment");
    expect(await run("redeploy", { dryRun: true })).toMatchObject({ status: "SUCCEEDED" });
    place.cloud.putEcsService(service, 2, { rollout: "fails" });
    expect(await run("redeploy")).toMatchObject({ status: "FAILED", error: "DeploymentFailedError" });
    place.cloud.putEcsService(service, 2, { rollout: "stalls" });
    expect(await run("redeploy")).toMatchObject({ status: "FAILED", error: "DeploymentStuckError" });
    place.cloud.putEcsService(service, 2);
  });

  it("is deployed anew, once, when a secret that its containers read was rotated, and not for another's", async () => {
    const { cloud } = place;
    const machine = place.machine("redeploy");
    const redeployments = () => cloud.executions().filter(({ arn }) => arn.includes(`:${machine}:`)).length;
    const rotated = async (name: string, eventName = "RotationSucceeded") => {
      const SecretId = `arn:aws:secretsmanager:${cloud.region}:${cloud.account}:secret:${name}`;
      cloud.publish({
        source: "aws.secretsmanager",
        detailType: "AWS Service Event via CloudTrail",
        detail: { eventSource: "secretsmanager.amazonaws.com", eventName, additionalEventData: { SecretId } },
      });
      await cloud.idle();
    };
    const before = redeployments();
    await rotated("clinic-b/redis-AbCdEf");
    await rotated("clinic-a/redis-AbCdEf", "RotationFailed");
    expect(redeployments()).toBe(before);
    cloud.faults.deliverTwice({ times: 1 });
    await rotated("clinic-a/redis-AbCdEf");
    expect(redeployments()).toBe(before + 1);
    expect(told()).toContain("Redeployment of clinic-a succeeded");
  });

  it("keeps its user where the administrator's secret is wrong", async () => {
    const before = await sqlconf();
    const { user: username, password } = place.server;
    await place.cloud.putSecret("clinic-a/administrator", JSON.stringify({ username, password: "not-the-password" }));
    const failed = await run("rotateDatabase");
    expect(failed).toMatchObject({ status: "FAILED", error: "DatabaseAccessDeniedError" });
    expect(failed.cause).not.toContain("not-the-password");
    await place.cloud.putSecret("clinic-a/administrator", JSON.stringify({ username, password }));
    expect(await sqlconf()).toEqual(before);
  });

  it("gives OpenEMR's administrator another password each time, which the secret has before OpenEMR does", async () => {
    const hashOf = async () => {
      const [row] = await place.server.query("SELECT password FROM openemr.users_secure WHERE username = 'admin'");
      return String(row?.password);
    };
    for (const _ of ["first", "second"]) {
      expect(await run("rotateAdmin")).toMatchObject({ status: "SUCCEEDED" });
      const { username, password } = JSON.parse((await secretText("openemr-admin")) ?? "{}");
      expect(username).toBe("admin");
      expect(passwords.has(password)).toBe(false);
      passwords.add(password);
      expect(await opens(password, await hashOf())).toBe(true);
    }
    expect(told()).toContain("Rotation of the administrator of clinic-a succeeded");
  });

  it("has RDS give the master user another password, and the old one opens nothing", async () => {
    const before = JSON.parse((await secretText("master")) ?? "{}");
    expect(await run("rotateMaster", { dryRun: true })).toMatchObject({ status: "SUCCEEDED" });
    expect(await run("rotateMaster")).toMatchObject({ status: "SUCCEEDED" });
    const after = JSON.parse((await secretText("master")) ?? "{}");
    expect(after).toMatchObject({ username: before.username });
    passwords.add(before.password).add(after.password);
    await logIn({ login: after.username, pass: after.password });
    await expect(logIn({ login: before.username, pass: before.password })).rejects.toThrow(/Access denied/);
    expect(told()).toContain("Rotation of the master user of clinic-a succeeded");
  });

  it.each(["openemr-admin", "master"])("fails by name where the secret %s is damaged", async (name) => {
    const text = await secretText(name);
    await place.cloud.putSecret(`clinic-a/${name}`, "not JSON");
    const failed = await run(name === "master" ? "rotateMaster" : "rotateAdmin");
    expect(failed).toMatchObject({ status: "FAILED", error: "CredentialSecretError" });
    await place.cloud.putSecret(`clinic-a/${name}`, text);
  });

  it("shows no password in logs, histories, events, records and messages", async () => {
    const { cloud, slack } = place;
    const logs = (await readdir(cloud.logs)).map((name) => readFile(join(cloud.logs, name), "utf8"));
    const records = await fetch(cloud.moto, {
      method: "POST",
      headers: {
        "x-amz-target": "DynamoDB_20120810.Scan",
        "content-type": "application/x-amz-json-1.0",
        authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${cloud.region}/dynamodb/aws4_request, Signature=0`,
      },
      body: JSON.stringify({ TableName: namesOf(hospitalStage).jobsTable }),
    });
    const table = await records.text();
    expect(table).toContain("clinic-a");
    const said = JSON.stringify([
      await Promise.all(logs),
      cloud.executions().map(({ history, input, output }) => ({ history, input, output })),
      cloud.events(),
      table,
      slack.seen.map(({ body }) => body),
      cloud.allTasks().map(({ overrides }) => overrides),
    ]);
    expect(passwords.size).toBeGreaterThan(4);
    for (const password of [...passwords, place.server.password]) {
      expect(password.length).toBeGreaterThan(8);
      expect(said).not.toContain(password);
    }
  });

  it("needed the rights of its roles, all of them and no other", async () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);
    const ours = /-(Rotate|StartDeployment|FollowDeployment|Redeploy)/;
    const spare = cloud
      .unusedGrants()
      .filter(({ role, action }) => ours.test(role) && !decidedElsewhere.test(action))
      .map(({ action, resources }) => `${action} of ${resources.join(", ")}`);
    // Only where RDS keeps the master's password in a secret of its own.
    const ofRds = expect.stringMatching(/^secretsmanager:(GetSecretValue|RotateSecret) of .+:secret:rds!cluster-\*$/);
    expect(spare).toEqual([ofRds, ofRds]);
    expect(cloud.unusedGrants().some(({ role }) => ours.test(role))).toBe(true); // its roles are known by these names
    const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: "clinic-a/slots" }));
    expect(Object.values(VersionIdsToStages).flat()).not.toContain("AWSPENDING");
  });
});
