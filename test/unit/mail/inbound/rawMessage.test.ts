import { mailboxesIn } from "@openemr-ops/mail/inbound/mailbox";
import { headerText, joinMessage, splitMessage } from "@openemr-ops/mail/inbound/rawMessage";
import * as fc from "fast-check";
import { expect, it } from "vitest";

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);
const value = fc.stringMatching(/^[ -~]{0,60}$/);
const headers = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 12 });
const body = fc.uint8Array({ maxLength: 200 });

it("gives back any message whose lines end with CRLF, byte by byte", () => {
  fc.assert(
    fc.property(headers, body, (all, bytes) => {
      const head = all.map(([one, text]) => `${one}:${text}\r\n`).join("");
      const raw = Buffer.concat([Buffer.from(`${head}\r\n`), bytes]);
      expect(joinMessage(splitMessage(raw)).equals(raw)).toBe(true);
    }),
  );
});

it("keeps the body, whatever it contains, and whatever the headers' lines end with", () => {
  fc.assert(
    fc.property(headers, body, fc.constantFrom("\n", "\r\n"), (all, bytes, end) => {
      const head = all.map(([one, text]) => `${one}: ${text}${end}`).join("");
      const split = splitMessage(Buffer.concat([Buffer.from(`${head}${end}`), bytes]));
      expect(split.body.equals(Buffer.from(bytes))).toBe(true);
      expect(split.headers.map((entry) => entry.name)).toEqual(all.map(([one]) => one.toLowerCase()));
    }),
  );
});

it("makes no header of what stands behind a lone CR", () => {
  const [entry, ...more] = splitMessage(Buffer.from("Subject: one\rBcc: x@evil.example\r\n\r\n")).headers;
  expect(more).toEqual([]);
  expect(entry && headerText(entry)).toBe("one Bcc: x@evil.example");
});

it.each([
  ["a line without a colon", "From: a@b.example\r\nno header\r\n\r\n", /^line 2 /],
  ["a folded line first", " folded\r\nFrom: a@b.example\r\n\r\n", /^line 1 /],
  ["text that begins at once", "Hello,\r\n\r\nthis is no message.\r\n", /^line 1 /],
  ["nothing", "", /is empty/],
])("refuses %s, and quotes nothing of it", (_, text, message) => {
  expect(() => splitMessage(Buffer.from(text))).toThrow(
    expect.objectContaining({ name: "MailUnreadableError", message: expect.stringMatching(message) }),
  );
});

it.each([
  ["Ana Ruiz <ana@a.example>", [{ name: "Ana Ruiz", address: "ana@a.example" }]],
  ["ana@a.example (Ana)", [{ name: "Ana", address: "ana@a.example" }]],
  [
    "Team: a@a.example, B <b@a.example>;",
    [
      { name: "", address: "a@a.example" },
      { name: "B", address: "b@a.example" },
    ],
  ],
  ["undisclosed-recipients:;", []],
  ["x <jürgen@a.example>", [{ name: "x", address: "" }]],
  ["x <j@bücher.example>", [{ name: "x", address: "j@xn--bcher-kva.example" }]],
])("reads the mailboxes of %s", (text, mailboxes) => {
  expect(mailboxesIn(text)).toEqual(mailboxes);
});
