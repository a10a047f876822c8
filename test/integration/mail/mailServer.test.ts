import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LocalSystemError,
  MailLoginRefusedError,
  MailRejectedError,
  MailServerUnavailableError,
} from "@openemr-ops/core/errors";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { type SesSmtpServer, startSesSmtp } from "@openemr-ops/local/servers/sesSmtp";
import { makeTlsMaterial, type TlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import { mailServer } from "@openemr-ops/mail/smtp/mailServer";
import { sesPassword } from "@openemr-ops/mail/smtp/sesPassword";
import { afterAll, beforeAll, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "mail-server-"));
const region = "eu-west-1";
const key = { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const login = { user: key.id, password: sesPassword(key, region) };
const message = { from: "notifications@example.org", to: "success@simulator.amazonses.com" };
const { signal } = new AbortController();

let tls: TlsMaterial;
let server: SesSmtpServer;
beforeAll(async () => {
  tls = makeTlsMaterial(directory);
  server = await startSesSmtp({ tls, region, keys: async () => [{ ...key, active: true }] });
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const client = (more: Partial<Parameters<typeof mailServer>[0]> = {}) =>
  mailServer({ host: "127.0.0.1", port: server.startTlsPort, tls: "starttls", caFile: tls.caFile, ...more });

it("a derived password opens a session and sends, by STARTTLS and by implicit TLS", async () => {
  for (const one of [client(), client({ port: server.implicitPort, tls: "implicit" })]) {
    await one.logIn(login, signal);
    const id = await one.send(login, message, signal);
    expect(server.received.at(-1)).toMatchObject({ id, user: key.id, from: message.from, to: [message.to] });
    expect(server.received.at(-1)?.raw.toString()).toContain("Auto-Submitted: auto-generated");
  }
  expect(client().name).toBe(`127.0.0.1:${server.startTlsPort}`);
});

it("a password of another region is refused by name, and without the password", async () => {
  const other = { user: key.id, password: sesPassword(key, "us-east-1") };
  const error = await client()
    .logIn(other, signal)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(MailLoginRefusedError);
  expect(String(error)).toContain(key.id);
  expect(String(error)).not.toContain(other.password);
});

it.each([
  { stage: "auth", code: 454, kind: MailServerUnavailableError },
  { stage: "auth", code: 421, kind: MailServerUnavailableError },
  { stage: "auth", code: 534, kind: MailLoginRefusedError },
  { stage: "connect", code: 421, kind: MailServerUnavailableError },
  { stage: "from", code: 451, kind: MailServerUnavailableError },
  { stage: "from", code: 553, kind: MailRejectedError },
  { stage: "to", code: 550, kind: MailRejectedError },
  { stage: "data", code: 554, kind: MailRejectedError },
  { stage: "data", code: 452, kind: MailServerUnavailableError },
] as const)(
  "the answer $code at $stage has a name of its own, and addresses are left out",
  async ({ stage, code, kind }) => {
    server.failNext(stage, { code, text: "Message rejected: failed in region EU-WEST-1: jane.doe+1@patients.example" });
    const error = await client()
      .send(login, message, signal)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain("failed in region EU-WEST-1");
    expect(String(error)).not.toMatch(/jane|patients|@/);
  },
);

it("a server that nobody trusts, that is not there, or that speaks no TLS is not a refused login", async () => {
  const plain = createServer((socket) => {
    socket.write("220 mail.example ESMTP\r\n");
    socket.on("data", (line) =>
      socket.write(String(line).startsWith("EHLO") ? "250 AUTH PLAIN LOGIN\r\n" : "500 no\r\n"),
    );
    socket.on("error", () => {});
  });
  plain.listen(0, "127.0.0.1");
  await once(plain, "listening");
  const shown: string[] = [];
  plain.on("connection", (socket) => socket.on("data", (line) => shown.push(String(line))));
  for (const one of [
    mailServer({ host: "127.0.0.1", port: server.startTlsPort, tls: "starttls" }),
    client({ port: await freePort() }),
    client({ tls: "implicit" }),
    client({ port: (plain.address() as AddressInfo).port }),
  ])
    await expect(one.logIn(login, signal)).rejects.toThrow(MailServerUnavailableError);
  expect(shown.join("")).toMatch(/^EHLO/);
  expect(shown.join("")).not.toMatch(/AUTH/);
  plain.close();

  await expect(client({ caFile: join(directory, "gone.pem") }).logIn(login, signal)).rejects.toThrow(LocalSystemError);
});

it("a stop ends the wait for a server that says nothing", async () => {
  const silent = createServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const stop = new AbortController();
  const waiting = client({ port: (silent.address() as AddressInfo).port }).logIn(login, stop.signal);
  silent.once("connection", () => stop.abort(new Error("stopped by the test")));
  await expect(waiting).rejects.toThrow("stopped by the test");
  silent.close();
});
