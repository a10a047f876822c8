import { CredentialSecretError } from "@openemr-ops/core/errors";
import { parseSmtpSecret, printSmtpSecret } from "@openemr-ops/mail/rotation/smtpSecret";
import { expect, it } from "vitest";

it("a text keeps what is not ours, and names the user twice", () => {
  const text = JSON.stringify({ password: "p", username: "AKIAONE", note: "kept", list: [1] });
  const secret = parseSmtpSecret(text, "s");
  expect(secret.accessKeyId).toBe("AKIAONE");
  expect(JSON.parse(printSmtpSecret(secret))).toEqual({
    password: "p",
    username: "AKIAONE",
    accessKeyId: "AKIAONE",
    note: "kept",
    list: [1],
  });
});

it("what is under way is read as it was printed", () => {
  const secret = {
    accessKeyId: "AKIATWO",
    password: "p",
    passwords: { "us-east-1": "q" },
    createdAt: "2026-11-20T12:00:00.000Z",
    region: "eu-central-1",
    creating: { since: "2026-11-20T12:00:00.000Z", known: ["AKIAONE"] },
    retiring: { accessKeyId: "AKIAONE", password: "o", passwords: {}, deactivatedAt: "2026-11-20T12:00:00.000Z" },
    retired: ["AKIAZERO"],
    others: { note: "kept" },
  };
  expect(parseSmtpSecret(printSmtpSecret(secret), "s")).toEqual(secret);
});

it("a text with a password alone, or with nothing, is that of another program", () => {
  expect(parseSmtpSecret('{"password":"p"}', "s")).toEqual({ password: "p", others: {} });
  expect(parseSmtpSecret("{}", "s")).toEqual({ others: {} });
});

const canary = "canary-93b1";
it.each<{ text: string; problem: string }>([
  { text: canary, problem: "the text is not JSON" },
  { text: `["${canary}"]`, problem: "the text is not an object" },
  { text: `{"password":["${canary}"]}`, problem: "password is not a text" },
  { text: `{"password":""}`, problem: "password is not a text" },
  { text: `{"username":"AKIAONE"}`, problem: "password is absent" },
  {
    text: `{"username":"AKIAONE","accessKeyId":"AKIATWO","password":"${canary}"}`,
    problem: "username and accessKeyId are two",
  },
  { text: `{"password":"${canary}","passwords":{"us-east-1":7}}`, problem: "passwords.us-east-1 is not a text" },
  { text: `{"creating":{"since":"${canary}","known":[]}}`, problem: "creating.since is no moment" },
  {
    text: `{"creating":{"since":"2026-11-20T12:00:00Z","known":"${canary}"}}`,
    problem: "creating.known is not a list",
  },
  { text: `{"retiring":{"accessKeyId":"A","password":"${canary}"}}`, problem: "accessKeyId is absent" },
  {
    text: `{"accessKeyId":"B","password":"${canary}","retiring":{"accessKeyId":"A"}}`,
    problem: "retiring.password is absent",
  },
  {
    text: `{"accessKeyId":"B","password":"${canary}","retiring":{"accessKeyId":"A","password":"p","deactivatedAt":"soon"}}`,
    problem: "retiring.deactivatedAt is no moment",
  },
])("a damaged text is refused by its field, and not shown: $problem", ({ text, problem }) => {
  const parse = () => parseSmtpSecret(text, "rotations.smtp.secret");
  expect(parse).toThrow(CredentialSecretError);
  expect(parse).toThrow(`rotations.smtp.secret: ${problem}`);
  expect(parse).not.toThrow(canary);
});
