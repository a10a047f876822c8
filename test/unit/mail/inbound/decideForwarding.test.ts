import { decideForwarding, type Receipt } from "@openemr-ops/mail/inbound/decideForwarding";
import { splitMessage } from "@openemr-ops/mail/inbound/rawMessage";
import { expect, it } from "vitest";

const settings = {
  installation: "clinic-a",
  from: "forwarder@clinic.example",
  routes: {
    "billing@clinic.example": ["bill@staff.example"],
    "@clinic.example": ["desk@staff.example"],
    "*": ["rest@staff.example"],
    "Big@other.example": Array.from({ length: 120 }, (_, at) => `p${at}@staff.example`),
  },
  mostBytes: 1_000,
};
const aReceipt = (different: Partial<Receipt> = {}): Receipt => ({
  messageId: "one",
  sender: "ana@sender.example",
  recipients: ["billing@clinic.example"],
  virus: "PASS",
  spam: "PASS",
  ...different,
});
const { headers } = splitMessage(Buffer.from("From: ana@sender.example\r\n\r\n"));
const decide = (receipt: Partial<Receipt>, message = {}, other = {}) =>
  decideForwarding(aReceipt(receipt), { byteLength: 100, headers, ...message }, { ...settings, ...other });

it.each([
  { recipient: "billing@clinic.example", target: "bill@staff.example", by: "its address" },
  { recipient: "BILLING@Clinic.Example", target: "bill@staff.example", by: "its address, whatever the case" },
  { recipient: "billing+x+y@clinic.example", target: "bill@staff.example", by: "its address without the plus" },
  { recipient: "other+x@clinic.example", target: "desk@staff.example", by: "its domain" },
  { recipient: "any@else.example", target: "rest@staff.example", by: "the route for all the rest" },
])("routes $recipient by $by", ({ recipient, target }) => {
  expect(decide({ recipients: [recipient] })).toMatchObject({ action: "forward", groups: [[target]] });
});

it("sends to each target once, in groups of fifty", () => {
  const decision = decide({ recipients: ["big@other.example", "big@other.example", "billing@clinic.example"] });
  const groups = "groups" in decision ? decision.groups : [];
  expect(groups.map(({ length }) => length)).toEqual([50, 50, 21]);
  expect(new Set(groups.flat()).size).toBe(121);
});

it("forwards to who has a route, and then names the domains that have none", () => {
  const decision = decide(
    { recipients: ["billing@clinic.example", "pid-4711@lab.example"] },
    {},
    { routes: { "billing@clinic.example": ["bill@staff.example"] } },
  );
  expect(decision).toMatchObject({ action: "forward", groups: [["bill@staff.example"]] });
  const { afterwards } = decision as { readonly afterwards?: Error };
  expect(afterwards).toMatchObject({ name: "MailRouteError", message: expect.stringContaining("of lab.example") });
  expect(afterwards?.message).not.toContain("4711");
});

it.each([[["nobody@lab.example"]], [[]]])("refuses a message that no route fits: %j", (recipients) => {
  expect(decide({ recipients }, {}, { routes: { "billing@clinic.example": ["bill@staff.example"] } })).toMatchObject({
    action: "refuse",
    error: { name: "MailRouteError" },
  });
});

it.each([
  { virus: "FAIL", spam: "PASS", outcome: { action: "hold", reason: "virus" } },
  { virus: "PASS", spam: "FAIL", outcome: { action: "hold", reason: "spam" } },
  { virus: "PASS", spam: "PASS", outcome: { action: "forward", marks: [] } },
  { virus: "DISABLED", spam: "DISABLED", outcome: { action: "forward", marks: [] } },
  { virus: "GRAY", spam: "GRAY", outcome: { action: "forward", marks: ["virus=GRAY", "spam=GRAY"] } },
  { virus: "PROCESSING_FAILED", spam: "PASS", outcome: { action: "forward", marks: ["virus=PROCESSING_FAILED"] } },
] as const)("with virus $virus and spam $spam a message is on $outcome.action", ({ virus, spam, outcome }) => {
  expect(decide({ virus, spam })).toMatchObject(outcome);
});

it.each([{ sender: "" }, { sender: "MAILER-DAEMON@amazonses.com" }])(
  "drops a bounce of what we forwarded, from $sender",
  ({ sender }) => {
    expect(decide({ sender, recipients: ["Forwarder@clinic.example"] })).toEqual({
      action: "drop",
      reason: "own bounce",
    });
    expect(decide({ sender, recipients: ["billing@clinic.example"] })).toMatchObject({ action: "forward" });
  },
);

it.each(["auto-replied", "auto-generated (vacation)"])("drops an automatic answer to what we forwarded: %s", (text) => {
  const headers = splitMessage(Buffer.from(`From: <one@staff.example>\r\nAuto-Submitted: ${text}\r\n\r\n`)).headers;
  expect(decide({ recipients: ["Forwarder@clinic.example"] }, { headers })).toEqual({
    action: "drop",
    reason: "automatic answer",
  });
  expect(decide({ recipients: ["billing@clinic.example"] }, { headers })).toMatchObject({ action: "forward" });
});

it("loses no message to the forwarder that a person wrote", () => {
  const { headers } = splitMessage(Buffer.from("From: <ana@sender.example>\r\nAuto-Submitted: No\r\n\r\n"));
  expect(decide({ recipients: ["forwarder@clinic.example"] }, { headers })).toMatchObject({ action: "forward" });
});

it("loses no message whose recipients are missing", () => {
  expect(decide({ sender: "", recipients: [] })).toMatchObject({ action: "refuse", error: { name: "MailRouteError" } });
});

it("looks at the size before the headers", () => {
  expect(decide({}, { byteLength: 1_001, headers: undefined })).toMatchObject({ action: "notify" });
  expect(decide({}, { byteLength: 1_000 })).toMatchObject({ action: "forward" });
});
