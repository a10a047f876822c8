import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { startSlackServer } from "@openemr-ops/local/servers/slack";
import { startVersityGateway } from "@openemr-ops/local/servers/versitygw";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic } from "../support/aClinic.ts";
import { aSealKey, configurationFor } from "../support/dumpContext.ts";
import { aRepositoryPassword } from "../support/quickRepository.ts";
import { runReal } from "../support/realCommandLine.ts";

let clinic: Clinic;
beforeAll(async () => {
  clinic = await aClinic({ programs: false });
});
afterAll(() => clinic.remove());

const at = "installations[0]";
const canary = "canary-wrong-5d2e";

interface Finding {
  readonly field: string;
  readonly ok: boolean;
  readonly opens: string;
  readonly note: string;
}

/** The command with these values in the variables and these settings, on the clinic's own database and repository. */
const check = async (
  values: Readonly<Record<string, string>> = {},
  {
    dumps = {},
    sections = {},
    notifications = {},
    args = ["--secrets"],
  }: { dumps?: object; sections?: object; notifications?: object; args?: string[] } = {},
) => {
  const { config, environment } = configurationFor({ ...clinic, dumps, environment: values, newRepository: true });
  const file = join(clinic.directory, "openemr-ops.config.json");
  const installations = config.installations.map((one) => ({ ...one, ...sections }));
  await writeFile(file, JSON.stringify({ ...config, installations, notifications }));
  const { exitCode, json, stdout, stderr } = await runReal(
    ["config", "check", ...args, "--config", file, "--json"],
    environment,
  );
  const { secrets = [] } = (json ?? {}) as { readonly secrets?: readonly Finding[] };
  return {
    exitCode,
    said: stdout + stderr,
    secrets,
    failing: secrets.filter(({ ok }) => !ok).map(({ field }) => field),
  };
};

describe("config check --secrets", () => {
  it("logs in with each secret, and lists what it opens", async () => {
    const { exitCode, secrets } = await check({ DUMP_USER_PASSWORD: `${clinic.schema.dumpUser.password}\n` });
    expect(secrets.map(({ field, ok }) => [field, ok])).toEqual([
      [`${at}.database.password`, true],
      [`${at}.database.restore.password`, true],
      [`${at}.dumps.password`, true],
    ]);
    expect(secrets[0]?.opens).toContain(clinic.schema.dumpUser.user);
    expect(secrets[2]?.note).toContain("no repository yet");
    expect(exitCode).toBe(0);
  });

  it("names the fields whose secret opens nothing, with exit status 4, and quotes none", async () => {
    const { exitCode, failing, said } = await check({ DUMP_USER_PASSWORD: canary, REPOSITORY_PASSWORD: `${canary} x` });
    expect(failing).toEqual([`${at}.database.password`]);
    expect(exitCode).toBe(4);
    expect(said).toContain("DatabaseAccessDeniedError");
    for (const secret of [canary, clinic.schema.restoreUser.password]) expect(said).not.toContain(secret);
  });

  it("logs in as the administrator who is to make database users", async () => {
    const { user: username, password } = clinic.schema;
    const sections = { users: { administrator: "env:ADMINISTRATOR" } };
    const right = await check({ ADMINISTRATOR: JSON.stringify({ username, password }) }, { sections });
    expect(right.failing).toEqual([]);
    expect(right.secrets.find(({ field }) => field === `${at}.users.administrator`)?.note).toBe(
      `logged in as ${username}`,
    );
    const wrong = await check({ ADMINISTRATOR: JSON.stringify({ username, password: canary }) }, { sections });
    expect(wrong.failing).toEqual([`${at}.users.administrator`]);
    expect(wrong.said).toContain("DatabaseAccessDeniedError");
    for (const secret of [canary, password]) expect(wrong.said + right.said).not.toContain(secret);
  });

  it("opens the repository that is there, and refuses another password", async () => {
    const file = join(clinic.directory, "repo.password");
    await writeFile(file, `${aRepositoryPassword}\n`);
    await chmod(file, 0o600);
    const { config, environment } = configurationFor(clinic);
    const path = join(clinic.directory, "first.json");
    await mkdir(join(clinic.directory, "repository"), { recursive: true });
    await mkdir(join(clinic.directory, "drills"), { recursive: true });
    await writeFile(path, JSON.stringify(config));
    expect(await runReal(["dump", "--config", path, "--yes"], environment)).toMatchObject({ exitCode: 0 });

    expect((await check({}, { dumps: { password: undefined, passwordFile: file } })).failing).toEqual([]);
    const wrong = await check({ REPOSITORY_PASSWORD: canary });
    expect(wrong.failing).toEqual([`${at}.dumps.password`]);
    expect(wrong.said).toContain("RepositoryPasswordError");
  });

  it("asks Slack who a token belongs to, and posts nothing", async () => {
    await using slack = await startSlackServer();
    const values = { SLACK: `${slack.token}\n`, OPENEMR_OPS_SLACK_API: slack.api };
    const notifications = { slack: { botToken: "env:SLACK", channel: "C0123456789" } };
    expect((await check(values, { notifications })).failing).toEqual([]);
    const wrong = await check({ ...values, SLACK: "xoxb-canary-wrong" }, { notifications });
    expect(wrong.failing).toEqual(["notifications.slack.botToken"]);
    expect(wrong.said).not.toContain("xoxb-canary");
    expect(slack.seen.map(({ method }) => method)).toEqual(["auth.test", "auth.test"]);
  });

  it("looks at the form of a webhook's address, which only a message would try", async () => {
    const notifications = { slack: { webhook: "env:SLACK" } };
    const good = await check({ SLACK: "https://hooks.slack.com/services/T000/B000/canary" }, { notifications });
    expect(good.failing).toEqual([]);
    expect(good.secrets.at(-1)?.note).toContain("not tried");
    for (const SLACK of ["https://hooks.slack.com/", "http://hooks.slack.com/services/T0/B0/canary", "canary"])
      expect((await check({ SLACK }, { notifications })).failing, SLACK).toEqual(["notifications.slack.webhook"]);
  });

  it("opens a store with its own keys", async () => {
    const gateway = await startVersityGateway();
    const { url: endpoint, region, accessKeyId, secretAccessKey } = gateway;
    const client = new S3Client({ endpoint, region, credentials: gateway, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "dumps" }));
    const dumps = { destination: "s3://dumps/openemr", endpoint, region, credentials: "env:STORE" };
    const keys = (secret: string) => ({ STORE: JSON.stringify({ accessKeyId, secretAccessKey: secret }) });

    expect((await check(keys(secretAccessKey), { dumps })).failing).toEqual([]);
    const wrong = await check(keys(canary), { dumps });
    expect(wrong.failing).toContain(`${at}.dumps.credentials`);
    expect(wrong.said).not.toContain(canary);

    const copies = [{ ...dumps, password: "env:COPY" }];
    const both = { dumps: { ...dumps, destination: "s3://dumps/first", credentials: "env:FIRST", copies } };
    const first = { FIRST: keys(secretAccessKey).STORE, COPY: "the password of a copy" };
    expect((await check({ ...keys(secretAccessKey), ...first }, both)).failing).toEqual([]);
    const wrongCopy = await check({ ...keys(canary), ...first }, both);
    expect(wrongCopy.failing).toEqual([`${at}.dumps.copies[0].credentials`, `${at}.dumps.copies[0].password`]);
    await gateway.stop();
  });

  it("reads a seal key of the right length, and reads nothing at all unless asked", async () => {
    const portable = { format: "portable" };
    expect((await check({ SEAL_KEY: aSealKey }, { dumps: portable })).failing).toEqual([]);
    const unasked = await check({ DUMP_USER_PASSWORD: canary }, { args: [] });
    expect([unasked.exitCode, unasked.secrets]).toEqual([0, []]);
  });
});
