import { MailRejectedError, MailTooLargeError } from "@openemr-ops/core/errors";
import { forwardStoredMail } from "@openemr-ops/mail/inbound/forwardStoredMail";
import { expect, it } from "vitest";
import { memoryMail } from "../../../support/memoryMail.ts";

const settings = {
  installation: "clinic-a",
  from: "forwarder@clinic.example",
  routes: { "billing@clinic.example": ["one@staff.example", "two@staff.example"] },
  mostBytes: 1_000,
};
const receipt = {
  messageId: "0abc",
  sender: "ana@sender.example",
  recipients: ["billing@clinic.example"],
  virus: "PASS",
  spam: "PASS",
} as const;
const raw = Buffer.from("From: Ana <ana@sender.example>\r\nSubject: Mr Smith\r\n\r\nText.\r\n");

it("sends a message once, however often its event comes", async () => {
  const { forwarding, sent } = memoryMail({ "0abc": raw }, settings);
  expect(await forwardStoredMail(receipt, forwarding)).toMatchObject({ action: "forward", sent: 2, before: 0 });
  expect(await forwardStoredMail(receipt, forwarding)).toMatchObject({ action: "forward", sent: 0, before: 2 });
  expect(sent.map(({ to }) => to)).toEqual([["one@staff.example", "two@staff.example"]]);
});

it("sends to a target that was added later, and not again to the others", async () => {
  const { forwarding, sent } = memoryMail({ "0abc": raw }, settings);
  await forwardStoredMail(receipt, forwarding);
  const routes = { "billing@clinic.example": ["Two@staff.example", "three@staff.example"] };
  await forwardStoredMail(receipt, { ...forwarding, settings: { ...settings, routes } });
  expect(sent.map(({ to }) => to)).toEqual([["one@staff.example", "two@staff.example"], ["three@staff.example"]]);
});

it("sends again what a refused or interrupted attempt did not send", async () => {
  const { forwarding, sent } = memoryMail({ "0abc": raw }, settings, (_, attempt) =>
    attempt === 1 ? new MailRejectedError("no") : undefined,
  );
  await expect(forwardStoredMail(receipt, forwarding)).rejects.toThrow(MailRejectedError);
  expect(sent).toEqual([]);
  expect(await forwardStoredMail(receipt, forwarding)).toMatchObject({ sent: 2 });
});

it("fails with the missing route only after it sent to those that have one, and does not send twice when redriven", async () => {
  const { forwarding, sent } = memoryMail({ "0abc": raw }, settings);
  const both = { ...receipt, recipients: ["billing@clinic.example", "lab@clinic.example"] };
  for (const _ of [1, 2])
    await expect(forwardStoredMail(both, forwarding)).rejects.toMatchObject({ name: "MailRouteError" });
  expect(sent).toHaveLength(1);
});

it.each([
  { why: "its stored size", refuse: () => undefined, size: 1_001, reads: 0 },
  {
    why: "the mail service's answer",
    refuse: ({ raw: mail }: { readonly raw: Buffer }) =>
      mail.includes("Mr Smith") ? new MailTooLargeError("too large") : undefined,
    size: raw.length,
    reads: 1,
  },
])("sends a notice without anything of the message when it is too large by $why", async ({ refuse, size, reads }) => {
  const large = Buffer.concat([raw, Buffer.alloc(size - raw.length, "x")]);
  const { forwarding, sent, read } = memoryMail({ "0abc": large }, settings, refuse);
  expect(await forwardStoredMail(receipt, forwarding)).toMatchObject({ action: "notify", sent: 2 });
  expect(read).toHaveLength(reads);
  const [notice] = sent;
  const text = notice?.raw.toString() ?? "";
  expect(text).toContain("s3://clinic-mail/inbound/0abc");
  expect(text).toContain("Auto-Submitted: auto-generated");
  for (const secret of ["Smith", "ana@", "Ana", "billing"]) expect(text).not.toContain(secret);
});

it("sends nothing to anybody for an automatic answer to what was forwarded", async () => {
  const answer = Buffer.from("From: <one@staff.example>\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n");
  const routes = { "*": ["one@staff.example"] };
  const { forwarding, sent } = memoryMail({ "0abc": answer }, { ...settings, routes });
  const toUs = { ...receipt, recipients: ["forwarder@clinic.example"] };
  expect(await forwardStoredMail(toUs, forwarding)).toMatchObject({ action: "drop", reason: "automatic answer" });
  expect(sent).toEqual([]);
});

it("does not read a message that is held", async () => {
  const { forwarding, read, sent } = memoryMail({ "0abc": raw }, settings);
  expect(await forwardStoredMail({ ...receipt, virus: "FAIL" }, forwarding)).toMatchObject({ action: "hold" });
  expect({ read, sent }).toEqual({ read: [], sent: [] });
});
