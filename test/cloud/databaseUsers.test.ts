import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { WorkflowKind } from "@openemr-ops/events/jobKinds";
import type { Execution } from "@openemr-ops/local-cloud/executions";
import { type HospitalCloud, repositoryPassword, startHospitalCloud } from "@openemr-ops/local-cloud/hospitalCloud";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const clinic = "clinic-a";
const made = "new password stored, user created, rights granted, password made current";

describe("a deployed clinic whose database users are still to be made", () => {
  let directory: string;
  let place: HospitalCloud;
  let secrets: SecretsManagerClient;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-users-"));
    place = await startHospitalCloud({
      directory,
      size: "tiny",
      usersToMake: true,
      cloud: { retryScale: 0.001 },
    });
    const { moto: endpoint, region } = place.cloud;
    secrets = new SecretsManagerClient({
      endpoint,
      region,
      credentials: { accessKeyId: "local", secretAccessKey: "local-only" },
    });
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const run = async (
    kind: WorkflowKind,
    input: Readonly<Record<string, string | boolean>> = {},
  ): Promise<Execution> => {
    const { cloud } = place;
    const execution = await cloud.waitForExecution(cloud.start(place.machine(kind), input), 120_000);
    await cloud.idle();
    return execution;
  };
  const accounts = async () =>
    (await place.server.query("SELECT User FROM mysql.user WHERE User LIKE 'openemr\\_%' ORDER BY User")).map(
      ({ User }) => User,
    );
  const versions = async (name: string) => {
    const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: name }));
    return VersionIdsToStages;
  };
  /** By the label: without it, the emulator answers what was put last. */
  const secretOf = async (SecretId: string) =>
    (await secrets.send(new GetSecretValueCommand({ SecretId, VersionStage: "AWSCURRENT" }))).SecretString ?? "";
  const lastPost = () => JSON.stringify(place.slack.seen.at(-2)?.body) + JSON.stringify(place.slack.seen.at(-1)?.body);

  it("shows in Slack what would be done, and does nothing", async () => {
    const before = await accounts();
    expect(await run("users", { dryRun: true })).toMatchObject({ status: "SUCCEEDED" });
    expect(lastPost()).toContain("openemr_dump: would store a new password, create the user, grant rights");
    expect(await accounts()).toEqual(before);
    expect(await versions(`${clinic}/dump`)).toEqual({});
  });

  it("cannot be dumped yet, and it is said why", async () => {
    expect(await run("dump")).toMatchObject({
      error: "SecretUnreadableError",
      cause: expect.stringContaining("has no value yet"),
    });
  });

  it("gets both users although Secrets Manager failed meanwhile, and Slack shows what was done", async () => {
    place.cloud.faults.api("secretsmanager:PutSecretValue", { code: "InternalServiceError", status: 500, times: 3 });
    expect(await run("users")).toMatchObject({ status: "SUCCEEDED" });
    expect(await accounts()).toEqual(expect.arrayContaining(["openemr_dump", "openemr_restore"]));
    expect(lastPost()).toContain(`openemr_dump: ${made}`);
  });

  it("is dumped, drilled and restored by them", async () => {
    for (const kind of ["dump", "drill"] as const) expect(await run(kind)).toMatchObject({ status: "SUCCEEDED" });
    const beside = { dump: "latest", intoDatabase: "openemr_restored", intoSites: join(directory, "restored") };
    expect(await run("restore", beside)).toMatchObject({ status: "SUCCEEDED" });
  });

  it("changes nothing when all is in order, and says so", async () => {
    const before = [await versions(`${clinic}/dump`), await versions(`${clinic}/restore`)];
    expect(await run("users")).toMatchObject({ status: "SUCCEEDED" });
    expect(lastPost()).toContain("openemr_restore: nothing to do");
    expect([await versions(`${clinic}/dump`), await versions(`${clinic}/restore`)]).toEqual(before);
  });

  it("gets a password back that was only written down, and not yet current", async () => {
    const SecretId = `${clinic}/dump`;
    const [id = ""] = Object.keys(await versions(SecretId));
    const password = await secretOf(SecretId);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: "of-something-else" }));
    await secrets.send(
      new UpdateSecretVersionStageCommand({ SecretId, VersionStage: "AWSPENDING", MoveToVersionId: id }),
    );

    expect(await run("users")).toMatchObject({ status: "SUCCEEDED" });
    expect(await secretOf(SecretId)).toBe(password);
    expect(lastPost()).toContain("openemr_dump: password made current");
  });

  it("is refused a user that somebody else made, by name", async () => {
    const SecretId = `${clinic}/restore`;
    const password = await secretOf(SecretId);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: "forgotten-by-all" }));
    const failed = await run("users");
    expect(failed).toMatchObject({ status: "FAILED", error: "DatabaseUserNotOursError" });
    expect(failed.cause).toMatch(/openemr_restore exists.*restore\.password.*nothing was changed/);
    await secrets.send(new PutSecretValueCommand({ SecretId, SecretString: password }));
  });

  it("shows no password in logs, histories, events and messages", async () => {
    const { cloud, server, slack } = place;
    const logs = (await readdir(cloud.logs)).map((name) => readFile(join(cloud.logs, name), "utf8"));
    const said = JSON.stringify([
      await Promise.all(logs),
      cloud.executions().map(({ history, input, output }) => ({ history, input, output })),
      cloud.events(),
      slack.seen.map(({ body }) => body),
    ]);
    const passwords = [await secretOf(`${clinic}/dump`), await secretOf(`${clinic}/restore`), server.password];
    for (const password of [...passwords, repositoryPassword]) {
      expect(password.length).toBeGreaterThan(10);
      expect(said).not.toContain(password);
    }
  });

  it("needed the rights of the task's role, all of them and no other", () => {
    const { cloud } = place;
    expect(cloud.deniedCalls()).toEqual([]);
    const spare = cloud
      .unusedGrants()
      .filter(({ role, action }) => /-Users|-Prepare/.test(role) && !/^(logs|xray|ecr|kms):/.test(action))
      .map(({ role, action }) => `${role}: ${action}`);
    expect(spare).toEqual([]);
    expect(cloud.unusedGrants().some(({ role }) => /-Users/.test(role))).toBe(true); // its roles are known by this name
  });
});
