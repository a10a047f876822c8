import { KeyPairError, MailLoginRefusedError } from "@openemr-ops/core/errors";
import type { MailServer } from "@openemr-ops/mail/rotation/smtpRotation";
import type { MailSettings, SiteMail } from "@openemr-ops/mail/settings/mailSettings";
import { testMail } from "@openemr-ops/mail/testMail";
import { expect, it } from "vitest";

const mail: SiteMail = {
  method: "SMTP",
  host: "smtp.example.org",
  port: 587,
  secure: "tls",
  user: "AKIA",
  password: "canary",
};
const site = (name: string, read: () => Promise<SiteMail>): MailSettings => ({
  site: name,
  read,
  replace: () => Promise.reject(new Error("a test of mail writes nothing")),
  queueSince: () => Promise.reject(new Error("a test of mail reads no queue")),
});
const server: MailServer = {
  name: "smtp.example.org:587",
  logIn: async () => undefined,
  send: async ({ user }) => {
    if (user === "AKIA") return "0100";
    throw new MailLoginRefusedError(`smtp.example.org:587 refuses the login of ${user}`);
  },
};
const message = { from: "a@example.org", to: "b@example.org" };
const test = (sites: readonly MailSettings[], signal = new AbortController().signal) =>
  testMail({ sites, server, message, signal });

it("mail is tried for each site, and one that fails stops no other", async () => {
  const tested = await test([
    site("broken", () => Promise.reject(new KeyPairError("site broken: its keys do not open SMTP_PASS"))),
    site("refused", async () => ({ ...mail, user: "OTHER" })),
    site("open", async () => ({ ...mail, user: "" })),
    site("default", async () => mail),
  ]);
  expect(tested).toMatchObject([
    { site: "broken", ok: false, error: { name: "KeyPairError" } },
    { site: "refused", ok: false, user: "OTHER", error: { name: "MailLoginRefusedError" } },
    { site: "open", ok: true, notes: ["sends without a login"] },
    { site: "default", ok: true, user: "AKIA", messageId: "0100", notes: [] },
  ]);
  expect(JSON.stringify(tested)).not.toContain("canary");
});

it.each([
  { port: 465, secure: "tls", note: "SMTP_SECURE has to be ssl on port 465" },
  { port: 2465, secure: "", note: "SMTP_SECURE has to be ssl on port 2465" },
  { port: 587, secure: "ssl", note: "SMTP_SECURE has to be tls on port 587" },
])("encryption $secure on port $port, on which PHP waits for ever, is a remark", async ({ port, secure, note }) => {
  const [tested] = await test([site("default", async () => ({ ...mail, port, secure }))]);
  expect(tested?.notes).toContain(note);
});

it("a stop ends the test of mail, and is no failure of a site", async () => {
  const stop = new AbortController();
  const stopping = site("default", async () => {
    stop.abort(new Error("stopped"));
    throw new Error("the connection ended");
  });
  await expect(test([stopping], stop.signal)).rejects.toThrow("stopped");
});
