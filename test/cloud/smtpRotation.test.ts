import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { CreateAccessKeyCommand, IAMClient } from "@aws-sdk/client-iam";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { namesOf } from "@openemr-ops/core/names";
import { partitions } from "@openemr-ops/core/partitions";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import {
  type HospitalCloud,
  type HospitalMail,
  hospitalStage,
  startHospitalCloud,
} from "@openemr-ops/local-cloud/hospitalCloud";
import type { MailSettings, SmtpLogin } from "@openemr-ops/mail/settings/mailSettings";
import { siteMailSettings } from "@openemr-ops/mail/settings/siteMailSettings";
import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import { sesPassword } from "@openemr-ops/mail/smtp/sesPassword";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decidedElsewhere } from "../support/decidedElsewhere.ts";

const service = "openemr/openemr";
/** A rotation starts containers, one after another. */
const patience = 600_000;
/** Half a minute here, since waits are shortened: time to look at what holds meanwhile. */
const soakMinutes = 480;
/** Some seconds. */
const shortSoak = { soakMinutes: 60 };

describe("a deployed clinic whose SMTP login is rotated", { timeout: patience }, () => {
  let directory: string;
  let place: HospitalCloud;
  let mail: HospitalMail;
  let settings: MailSettings;
  let secrets: SecretsManagerClient;
  let dynamo: DynamoDBClient;
  let iam: IAMClient;
  /** Every password and every secret of a key that was ever anywhere, for the search at the end. */
  const hidden = new Set<string>();

  const login = async (): Promise<SmtpLogin> => {
    const { user, password } = await settings.read();
    return { user, password };
  };
  const keys = async () => {
    const found = await place.cloud.accessKeys(mail.iamUser);
    for (const { secret } of found) hidden.add(secret);
    return found.map(({ id, active }) => ({ id, active }));
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-smtp-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      mail: { soakMinutes, settleSeconds: 1 },
      cloud: { retryScale: 0.001, waitScale: 0.001 },
    });
    if (!place.mail) throw new Error("the clinic has no SMTP server");
    mail = place.mail;
    const client = {
      endpoint: place.cloud.moto,
      region: place.cloud.region,
      credentials: { accessKeyId: "local", secretAccessKey: "local-only" },
    };
    secrets = new SecretsManagerClient(client);
    dynamo = new DynamoDBClient(client);
    iam = new IAMClient(client);
    const { sitesPath } = place.estate;
    settings = siteMailSettings({ sitesPath, site: "default", newIv: () => randomBytes(16) });
    const [key] = await place.cloud.accessKeys(mail.iamUser);
    if (!key) throw new Error("the IAM user has no key");
    await settings.replace(await login(), { user: key.id, password: sesPassword(key, place.cloud.region) });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const textOf = async (name: string, VersionStage = "AWSCURRENT"): Promise<string | undefined> => {
    const value = await secrets
      .send(new GetSecretValueCommand({ SecretId: `clinic-a/${name}`, VersionStage }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      });
    return value?.SecretString;
  };
  const noteSecrets = async () => {
    await keys();
    hidden.add((await login()).password);
    for (const name of ["smtp", "secret-access-key"])
      for (const text of [await textOf(name), await textOf(name, "AWSPENDING")])
        for (const [, password = ""] of (text ?? "").matchAll(/"password":\s*"([^"]+)"/g)) hidden.add(password);
  };
  const begin = (input: Readonly<Record<string, boolean | number | string>> = {}): string =>
    place.cloud.start(place.machine("rotateSmtp"), input);
  const end = async (arn: string): Promise<Pick<Execution, "status" | "error" | "cause">> => {
    const { status, error, cause } = await place.cloud.waitForExecution(arn, patience);
    await place.cloud.idle();
    await noteSecrets();
    return { status, ...(error ? { error } : {}), ...(cause ? { cause } : {}) };
  };
  /** Resolves when the execution waits between its two containers. */
  const untilItSoaks = async (arn: string): Promise<void> => {
    for (;;) {
      const { status, history = [] } = place.cloud.execution(arn) ?? {};
      if (history.some(({ state }) => state === "Soak")) return;
      if (status !== "RUNNING") throw new Error(`it ended before it soaked: ${JSON.stringify(history.at(-1))}`);
      await sleep(20);
    }
  };
  const told = () => JSON.stringify(place.slack.seen.slice(-3).map(({ body }) => body));
  const opens = (with_: SmtpLogin) =>
    mailServer({ host: "127.0.0.1", port: mail.server.startTlsPort, tls: "starttls", caFile: mail.caFile }).logIn(
      with_,
      AbortSignal.timeout(patience),
    );

  /** What the function that holds locks answers to a job that does not hold them. */
  const holdForAnother = async (arn: string) => {
    const { endpoint, region } = place.cloud;
    const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = place.environment();
    const states = JSON.stringify(place.cloud.execution(arn)?.machine.definition);
    const [, FunctionName = ""] = /"Hold locks":\{.*?"FunctionName":"([^"]+)"/.exec(states) ?? [];
    const job = { jobId: "another-job", kind: "rotateSmtp", installation: "clinic-a", dryRun: false };
    const { Payload } = await new LambdaClient({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
    }).send(
      new InvokeCommand({
        FunctionName,
        Payload: JSON.stringify({ job, seconds: 60 }),
      }),
    );
    return JSON.parse(Buffer.from(Payload ?? []).toString("utf8"));
  };

  it("is shown what would be done, and nothing is", async () => {
    const before = await login();
    const one = await keys();
    expect(await end(begin({ dryRun: true }))).toEqual({ status: "SUCCEEDED" });
    expect(await login()).toEqual(before);
    expect(await keys()).toEqual(one);
    expect(await textOf("smtp")).toBeUndefined();
    expect(told()).toContain("dry run");
  });

  it("gets another login from its schedule to the message in Slack, with one key left after the soak", async () => {
    const first = await login();
    await place.cloud.fireSchedule(`${namesOf(hospitalStage).scheduleGroup}/clinic-a-rotateSmtp`, new Date());
    const arn = place.cloud.executions().at(-1)?.arn ?? "";
    await untilItSoaks(arn);
    const second = await login();
    expect(second.user).not.toBe(first.user);
    await opens(second);
    await expect(opens(first)).rejects.toThrow();
    expect(await keys()).toEqual([
      { id: first.user, active: false },
      { id: second.user, active: true },
    ]);

    const Key = { pk: { S: partitions.locks("clinic-a") }, sk: { S: "credentials" } };
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: namesOf(hospitalStage).jobsTable, Key }));
    expect(Number(Item?.leaseEndsAt?.N)).toBeGreaterThan(Date.now() + soakMinutes * 60_000);
    expect(await holdForAnother(arn)).toMatchObject({ errorType: "InstallationBusyError" });
    expect(await end(begin())).toMatchObject({ status: "FAILED", error: "InstallationBusyError" });

    expect(await end(arn)).toEqual({ status: "SUCCEEDED" });
    const { result } = JSON.parse(place.cloud.execution(arn)?.output ?? "{}");
    expect(result).toMatchObject({ accessKeyId: second.user, previous: first.user, state: "done" });
    expect(await login()).toEqual(second);
    expect(await keys()).toEqual([{ id: second.user, active: true }]);
    expect(JSON.parse((await textOf("smtp")) ?? "{}")).toMatchObject({
      username: second.user,
      accessKeyId: second.user,
      password: second.password,
    });
    const [key] = await place.cloud.accessKeys(mail.iamUser);
    expect(JSON.parse((await textOf("secret-access-key")) ?? "{}")).toEqual({ password: key?.secret });
    expect(await place.cloud.parameter(mail.parameter)).toBe(second.user);
    expect(mail.server.received.at(-1)).toMatchObject({ user: second.user, to: ["success@simulator.amazonses.com"] });
    const messages = JSON.stringify(place.slack.seen.map(({ body }) => body));
    expect(messages).toContain("Rotation of the SMTP credentials of clinic-a succeeded");
    expect(messages).toContain(second.user);
    const { Item: after } = await dynamo.send(new GetItemCommand({ TableName: namesOf(hospitalStage).jobsTable, Key }));
    expect(after?.released?.BOOL).toBe(true);
  });

  it("gets its login again where somebody wrote the one before back during the soak", async () => {
    const before = await login();
    const arn = begin(shortSoak);
    await untilItSoaks(arn);
    const after = await login();
    expect(await settings.replace(after, before)).toBe(true); // as a page of OpenEMR does that was opened before
    expect(await end(arn)).toEqual({ status: "SUCCEEDED" });
    expect(await login()).toEqual(after);
    expect(await keys()).toEqual([{ id: after.user, active: true }]);
    expect(told()).toContain("healed");
  });

  it("keeps its login where the server takes no message of it, and Slack says what to do", async () => {
    const before = await login();
    const one = await keys();
    mail.server.failNext("from", { code: 554, text: "Message rejected: Email address is not verified." });
    const failed = await end(begin());
    expect(failed).toMatchObject({ status: "FAILED", error: "MailRejectedError" });
    expect(await login()).toEqual(before);
    await opens(before);
    expect(await keys()).toEqual(one);
    expect(told()).toContain("MailRejectedError");
  });

  it("deletes a key that a stopped run made and did not write down, and then gets another login", async () => {
    const before = await login();
    const creating = { since: new Date().toISOString(), known: [before.user] };
    const written = new PutSecretValueCommand({
      SecretId: "clinic-a/smtp",
      SecretString: JSON.stringify({ ...JSON.parse((await textOf("smtp")) ?? "{}"), creating }),
      VersionStages: ["AWSPENDING"],
    });
    await secrets.send(written);
    const { AccessKey: orphan } = await iam.send(new CreateAccessKeyCommand({ UserName: mail.iamUser }));
    expect(await end(begin({ soakMinutes: 0 }))).toEqual({ status: "SUCCEEDED" });
    const { user } = await login();
    expect([before.user, orphan?.AccessKeyId]).not.toContain(user);
    expect(await keys()).toEqual([{ id: user, active: true }]);
  });

  it("is deployed anew before the soak where its containers get the password by their environment", async () => {
    let replaced = 0;
    const secret = `arn:aws:secretsmanager:${place.cloud.region}:${place.cloud.account}:secret:clinic-a/smtp-AbCdEf`;
    place.cloud.putEcsService(service, 2, {
      secrets: { OPENEMR_SETTING_SMTP_PASS: `${secret}:password::` },
      onReplaced: () => replaced++,
    });
    const before = await login();
    const done = await end(begin(shortSoak));
    expect(done).toEqual({ status: "SUCCEEDED" });
    expect(replaced).toBe(1);
    expect((await login()).user).not.toBe(before.user);
    expect(await keys()).toHaveLength(1);
    place.cloud.putEcsService(service, 2);
  });

  it("needs no hours where nothing waits: a soak of none deletes the key before in the same run", async () => {
    const before = await login();
    expect(await end(begin({ soakMinutes: 0 }))).toEqual({ status: "SUCCEEDED" });
    const after = await login();
    expect(after.user).not.toBe(before.user);
    expect(await keys()).toEqual([{ id: after.user, active: true }]);
  });

  it("shows no password and no key's secret in logs, histories, events, records and messages", async () => {
    const { cloud, slack } = place;
    const logs = (await readdir(cloud.logs)).map((name) => readFile(join(cloud.logs, name), "utf8"));
    const { Items } = await dynamo.send(new ScanCommand({ TableName: namesOf(hospitalStage).jobsTable }));
    expect(JSON.stringify(Items)).toContain("clinic-a");
    const said = JSON.stringify([
      await Promise.all(logs),
      cloud.executions().map(({ history, input, output }) => ({ history, input, output })),
      cloud.events(),
      Items,
      slack.seen.map(({ body }) => body),
      cloud.allTasks().map(({ overrides }) => overrides),
    ]);
    expect(hidden.size).toBeGreaterThan(6);
    for (const text of hidden) {
      expect(text.length).toBeGreaterThan(8);
      expect(said).not.toContain(text);
    }
  });

  it("needed the rights of its roles, all of them and no other", () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);
    const ours = cloud.unusedGrants().filter(({ from }) => /RotateSmtp|HoldLocks/.test(from));
    expect(ours.length).toBeGreaterThan(0); // they are known by where their statements are
    const spare = ours.filter(({ action }) => !decidedElsewhere.test(action));
    expect(spare.map(({ from, action }) => `${from}: ${action}`)).toEqual([]);
  });
});
