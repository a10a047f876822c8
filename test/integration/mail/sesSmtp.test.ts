import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, UpdateAccessKeyCommand } from "@aws-sdk/client-iam";
import { motoAccessKeys } from "@openemr-ops/local/servers/motoAccessKeys";
import { type SendingKey, startSesSmtp } from "@openemr-ops/local/servers/sesSmtp";
import { startSesSmtpProcess } from "@openemr-ops/local/servers/sesSmtpProcess";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startAws } from "../../support/awsServer.ts";

const directory = mkdtempSync(join(tmpdir(), "ses-smtp-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let tls: ReturnType<typeof makeTlsMaterial>;
beforeAll(() => {
  tls = makeTlsMaterial(directory);
});

const region = "eu-central-1";
const sign = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();
const passwordOf = (secret: string, inRegion = region): string => {
  const service = sign(sign(sign(`AWS4${secret}`, "11111111"), inRegion), "ses");
  return Buffer.concat([Buffer.of(4), sign(sign(service, "aws4_request"), "SendRawEmail")]).toString("base64");
};

const clientOf = (port: number, user: string, pass: string, { secure = false, method = "PLAIN" } = {}) =>
  createTransport({
    host: "127.0.0.1",
    port,
    secure,
    requireTLS: !secure,
    auth: { user, pass },
    authMethod: method,
    tls: { ca: readFileSync(tls.caFile) },
  });
const codeOf = (login: Promise<unknown>): Promise<unknown> =>
  login.then(
    () => 235,
    (error: { responseCode?: number }) => error.responseCode,
  );

it("the server lets in who has an active key and the password of its region, on both ports and by both methods", async () => {
  const keys: SendingKey[] = [
    { id: "AKIAONE", secret: "some+secret+key", active: true },
    { id: "AKIATWO", secret: "another+secret+key", active: false },
  ];
  await using server = await startSesSmtp({ tls, region, keys: async () => keys });
  // The words of another implementation: Terraform's provider for AWS publishes these.
  expect(passwordOf("some+secret+key")).toBe("BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2");
  for (const [port, secure] of [
    [server.startTlsPort, false],
    [server.implicitPort, true],
  ] as const) {
    for (const method of ["PLAIN", "LOGIN"]) {
      const login = (user: string, secret: string, inRegion?: string) =>
        codeOf(clientOf(port, user, passwordOf(secret, inRegion), { secure, method }).verify());
      expect(await login("AKIAONE", "some+secret+key")).toBe(235);
      expect(await login("AKIAONE", "some+secret+key", "us-east-1")).toBe(535);
      expect(await login("AKIAONE", "another+secret+key")).toBe(535);
      expect(await login("AKIATWO", "another+secret+key")).toBe(535);
      expect(await login("AKIAGONE", "some+secret+key")).toBe(535);
    }
  }
  expect(server.logins.filter(({ accepted }) => accepted)).toHaveLength(4);

  const sent = await clientOf(server.startTlsPort, "AKIAONE", passwordOf("some+secret+key")).sendMail({
    from: "a@example.org",
    to: "b@example.org",
    subject: "canary",
  });
  const [message] = server.received;
  expect(sent.response).toBe(`250 Ok ${message?.id}`);
  expect(message).toMatchObject({ user: "AKIAONE", from: "a@example.org", to: ["b@example.org"] });
  expect(message?.raw.toString()).toContain("Subject: canary");

  server.failNext("auth", { code: 454, text: "Temporary authentication failure" });
  const again = clientOf(server.startTlsPort, "AKIAONE", passwordOf("some+secret+key"));
  expect(await codeOf(again.verify())).toBe(454);
  expect(await codeOf(again.verify())).toBe(235);
});

it("nobody logs in before STARTTLS", async () => {
  const keys = [{ id: "AKIAONE", secret: "s", active: true }];
  await using server = await startSesSmtp({ tls, region, keys: async () => keys });
  const plain = createTransport({
    host: "127.0.0.1",
    port: server.startTlsPort,
    ignoreTLS: true,
    auth: { user: "AKIAONE", pass: passwordOf("s") },
  });
  await expect(plain.verify()).rejects.toThrow();
  expect(server.logins).toEqual([]);
});

it("a new key spreads machine by machine, so that one good login proves nothing", async () => {
  let keys: readonly SendingKey[] = [];
  await using server = await startSesSmtp({ tls, region, keys: async () => keys, appearsAfterMs: 1e9, machines: 1e6 });
  keys = [{ id: "AKIANEW", secret: "s", active: true }];
  const client = clientOf(server.startTlsPort, "AKIANEW", passwordOf("s"));
  // The first look at the key starts the time; the machines differ by a second and more.
  expect(await codeOf(client.verify())).toBe(535);
  expect(await codeOf(client.verify())).toBe(535);
  expect(server.logins).toEqual([
    { user: "AKIANEW", accepted: false },
    { user: "AKIANEW", accepted: false },
  ]);
});

it("the keys of a user in moto open it, as long as they are active", async () => {
  await using aws = await startAws();
  const iam = new IAMClient({});
  await iam.send(new CreateUserCommand({ UserName: "ses-smtp-user" }));
  await using server = await startSesSmtp({ tls, region, keys: motoAccessKeys(aws.url, "ses-smtp-user") });
  const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName: "ses-smtp-user" }));
  const client = clientOf(server.startTlsPort, key?.AccessKeyId ?? "", passwordOf(key?.SecretAccessKey ?? ""));
  expect(await codeOf(client.verify())).toBe(235);

  await using child = await startSesSmtpProcess({
    directory: join(directory, "child"),
    region,
    url: aws.url,
    user: "ses-smtp-user",
  });
  const other = createTransport({
    host: "127.0.0.1",
    port: child.implicitPort,
    secure: true,
    tls: { ca: readFileSync(child.caFile) },
    auth: { user: key?.AccessKeyId ?? "", pass: passwordOf(key?.SecretAccessKey ?? "") },
  });
  await other.sendMail({ from: "a@example.org", to: "b@example.org", text: "canary" });
  expect(child.received()).toMatchObject([{ user: key?.AccessKeyId, to: ["b@example.org"] }]);

  await iam.send(
    new UpdateAccessKeyCommand({ UserName: "ses-smtp-user", AccessKeyId: key?.AccessKeyId, Status: "Inactive" }),
  );
  expect(await codeOf(client.verify())).toBe(535);
  expect(await codeOf(other.verify())).toBe(535);
});
