import { createHash } from "node:crypto";

/** A message as it comes in, and what a reader has to find in it afterwards. All of it is made here; none is anybody's mail. */
export interface CorpusMessage {
  readonly shape: string;
  readonly raw: Buffer;
  /** The envelope's sender; empty for a bounce. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** What is done with it; a dead letter has the error's name. */
  readonly outcome: "forward" | "notify" | "drop" | `${string}Error`;
  /** Not set: the readers do not agree about what it is. */
  readonly subject?: string;
  /** The name that From shows. */
  readonly author?: string;
  readonly replyTo?: string;
  /** Digests of the attachments' bytes, in their order. */
  readonly attachments?: readonly string[];
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes of every value, the same for the same seed. */
const bytesOf = (seed: string, length: number): Buffer => {
  const block = Buffer.concat(
    Array.from({ length: 64 }, (_, at) => createHash("sha512").update(`${seed}${at}`).digest()),
  );
  return Buffer.alloc(length, block);
};

const base64 = (bytes: Buffer): string => bytes.toString("base64").replace(/.{76}/g, "$&\r\n");

const ana = "Ana Ruiz <ana@sender.example>";
const usual = { author: "Ana Ruiz", replyTo: "ana@sender.example", subject: "Referral" };

const lines = (...all: readonly string[]): string => all.join("\r\n");
const withHeaders = (headers: readonly string[], body = "Text.\r\n") =>
  Buffer.from(`${lines(...headers)}\r\n\r\n${body}`, "latin1");

const common = (more: readonly string[] = []) => [
  "Return-Path: <ana@sender.example>",
  "Received: from mail.sender.example by inbound-smtp.eu-west-1.amazonaws.com; Fri, 27 Nov 2026 09:00:00 +0000",
  "X-SES-Spam-Verdict: PASS",
  "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=one; h=from:to;",
  "\tbh=AAAA; b=BBBB",
  `From: ${ana}`,
  "To: billing@clinic.example",
  "Date: Fri, 27 Nov 2026 09:00:00 +0000",
  "Message-ID: <one@sender.example>",
  "Subject: Referral",
  ...more,
];
const without = (headers: readonly string[], name: string) =>
  headers.filter((line) => !line.toLowerCase().startsWith(`${name}:`));
const text = ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"];

const part = (headers: readonly string[], body: string): string => `${lines(...headers)}\r\n\r\n${body}\r\n`;
const multipart = (boundary: string, parts: readonly string[]): string =>
  `${parts.map((one) => `--${boundary}\r\n${one}`).join("")}--${boundary}--\r\n`;
const attached = (name: string, bytes: Buffer, type = "application/octet-stream"): string =>
  part(
    [
      `Content-Type: ${type}; name="${name}"`,
      `Content-Disposition: attachment; filename="${name}"`,
      "Content-Transfer-Encoding: base64",
    ],
    base64(bytes),
  );
const mixed = (parts: readonly string[], boundary = "mix"): Buffer =>
  withHeaders(
    common(["MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="${boundary}"`]),
    multipart(boundary, parts),
  );

type Shape = Omit<CorpusMessage, "shape" | "sender" | "recipients" | "outcome"> &
  Partial<Pick<CorpusMessage, "sender" | "recipients" | "outcome">>;

const small = bytesOf("small", 5_000);
const plainPart = part(["Content-Type: text/plain; charset=utf-8"], "See the attachment.");

const bounceBody = multipart("rep", [
  part(["Content-Type: text/plain"], "The message could not be delivered."),
  part(
    ["Content-Type: message/delivery-status"],
    "Reporting-MTA: dns; mx.other.example\r\n\r\nFinal-Recipient: rfc822; x@other.example\r\nAction: failed\r\nStatus: 5.1.1",
  ),
  part(["Content-Type: text/rfc822-headers"], "Subject: what was sent\r\nFrom: billing@clinic.example"),
]);

/** A message by its shape. `largeBytes`: of the large attachment. */
const shapes = (largeBytes: number): Readonly<Record<string, () => Shape>> => ({
  "plain text": () => ({ raw: withHeaders(common(text)), ...usual, attachments: [] }),
  "an attachment": () => ({
    raw: mixed([plainPart, attached("lab.pdf", small)]),
    ...usual,
    attachments: [digestOf(small)],
  }),
  "nested multiparts with an inline image": () => {
    const image = bytesOf("image", 3_000);
    const related = multipart("rel", [
      part(
        ["Content-Type: text/html; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit"],
        '<p>Gr\xfc\xdfe <img src="cid:logo"></p>',
      ),
      part(
        [
          "Content-Type: image/png",
          "Content-ID: <logo>",
          "Content-Disposition: inline",
          "Content-Transfer-Encoding: base64",
        ],
        base64(image),
      ),
    ]);
    const alternative = multipart("alt", [
      part(["Content-Type: text/plain; charset=utf-8"], "Gruesse"),
      part(['Content-Type: multipart/related; boundary="rel"'], related),
    ]);
    return {
      raw: mixed([
        part(['Content-Type: multipart/alternative; boundary="alt"'], alternative),
        attached("a.bin", small),
      ]),
      ...usual,
      attachments: [digestOf(image), digestOf(small)],
    };
  },
  "a signed message (S/MIME)": () => {
    const signature = bytesOf("p7s", 1_500);
    return {
      raw: withHeaders(
        common([
          "MIME-Version: 1.0",
          'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="sig"',
        ]),
        `This is a signed message.\r\n${multipart("sig", [
          part(["Content-Type: text/plain; charset=us-ascii"], "Signed  text with trailing blanks   \r\n\r\n"),
          attached("smime.p7s", signature, "application/pkcs7-signature"),
        ])}`,
      ),
      ...usual,
      attachments: [digestOf(signature)],
    };
  },
  "an encrypted message (S/MIME)": () => ({
    raw: withHeaders(
      common([
        "MIME-Version: 1.0",
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
        'Content-Disposition: attachment; filename="smime.p7m"',
        "Content-Transfer-Encoding: base64",
      ]),
      base64(small),
    ),
    ...usual,
    attachments: [digestOf(small)],
  }),
  "an invitation": () => {
    const calendar =
      "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Visit\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    return {
      raw: withHeaders(
        common(["MIME-Version: 1.0", 'Content-Type: multipart/alternative; boundary="alt"']),
        multipart("alt", [plainPart, part(["Content-Type: text/calendar; charset=utf-8; method=REQUEST"], calendar)]),
      ),
      ...usual,
    };
  },
  "a body of 8-bit bytes without a charset": () => ({
    raw: Buffer.concat([
      withHeaders(common(["MIME-Version: 1.0", "Content-Type: text/plain", "Content-Transfer-Encoding: 8bit"]), ""),
      bytesOf("8bit", 400),
    ]),
    ...usual,
  }),
  "UTF-7": () => ({
    raw: withHeaders(common(["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-7"]), "Gr+APwA3w-e\r\n"),
    ...usual,
  }),
  Shift_JIS: () => ({
    raw: withHeaders(
      common(["MIME-Version: 1.0", "Content-Type: text/plain; charset=shift_jis"]),
      "\x93\xfa\x96\x7b\x8c\xea\r\n",
    ),
    ...usual,
  }),
  "Latin-1 in the subject, not encoded": () => ({
    raw: withHeaders([...without(common(text), "subject"), "Subject: Gr\xfc\xdfe"]),
    author: usual.author,
    replyTo: usual.replyTo,
  }),
  "an encoded subject and an encoded sender": () => ({
    raw: withHeaders([
      ...without(without(common(text), "subject"), "from"),
      "Subject: =?utf-8?B?w5xiZXJ3ZWlzdW5n?= =?utf-8?Q?_f=C3=BCr_M=C3=A4rz?=",
      "From: =?iso-2022-jp?B?GyRCRnxLXDhsGyhC?= <ana@sender.example>",
    ]),
    subject: "Überweisung für März",
    author: "日本語",
    replyTo: "ana@sender.example",
  }),
  "an empty subject": () => ({
    raw: withHeaders([...without(common(text), "subject"), "Subject:"]),
    ...usual,
    subject: "",
  }),
  "no subject": () => ({
    raw: withHeaders(without(common(text), "subject")),
    author: usual.author,
    replyTo: usual.replyTo,
  }),
  "headers without a blank behind the colon, and folded ones": () => ({
    raw: withHeaders([
      ...without(without(common(text), "subject"), "from"),
      "Subject:Referral\r\n of\r\n a patient",
      'From:"Ruiz, Ana"\r\n\t<ana@sender.example>',
    ]),
    subject: "Referral of a patient",
    author: "Ruiz, Ana",
    replyTo: "ana@sender.example",
  }),
  "another address for answers": () => ({
    raw: withHeaders(common([...text, "Reply-To: Front desk <desk@sender.example>"])),
    ...usual,
    replyTo: "desk@sender.example",
  }),
  "another sender on behalf of the author": () => ({
    raw: withHeaders(common([...text, "Sender: robot@sender.example"])),
    ...usual,
  }),
  "two From headers": () => ({
    raw: withHeaders(common([...text, "From: Somebody Else <else@evil.example>"])),
    ...usual,
  }),
  "two subjects and two types": () => ({
    raw: withHeaders(common([...text, "Subject: another", "Content-Type: text/html"])),
    ...usual,
  }),
  "a group of addresses": () => ({
    raw: withHeaders([
      ...without(without(common(text), "from"), "to"),
      "From: Clinic team: Ana Ruiz <ana@sender.example>, ben@sender.example;",
      "To: undisclosed-recipients:;",
    ]),
    ...usual,
  }),
  "no From": () => ({
    raw: withHeaders(without(common(text), "from")),
    subject: "Referral",
    author: "ana@sender.example",
    replyTo: "ana@sender.example",
  }),
  "a From that hides controls": () => ({
    raw: withHeaders([
      ...without(common(text), "from"),
      "From: =?utf-8?Q?Ana=0D=0ABcc=3A_x=40evil=2Eexample_=E2=80=AE?= <ana@sender.example>",
    ]),
    subject: "Referral",
    author: "Ana Bcc: x@evil.example",
    replyTo: "ana@sender.example",
  }),
  "a sender's name of 300 letters": () => ({
    raw: withHeaders([...without(common(text), "from"), `From: ${"Ana ".repeat(75)}<ana@sender.example>`]),
    subject: "Referral",
    author: `${"Ana ".repeat(15)}A...`,
    replyTo: "ana@sender.example",
  }),
  "a name of an attachment in parts (RFC 2231)": () => ({
    raw: mixed([
      plainPart,
      part(
        [
          "Content-Type: application/pdf",
          "Content-Disposition: attachment;",
          " filename*0*=utf-8''%C3%9Cberweisung;",
          ' filename*1="-2026.pdf"',
          "Content-Transfer-Encoding: base64",
        ],
        base64(small),
      ),
    ]),
    ...usual,
    attachments: [digestOf(small)],
  }),
  "a large attachment": () => {
    const large = bytesOf("large", largeBytes);
    return {
      raw: mixed([plainPart, attached("scan.tif", large, "image/tiff")]),
      ...usual,
      attachments: [digestOf(large)],
    };
  },
  "a forwarded message inside": () => ({
    raw: mixed([
      plainPart,
      part(
        ["Content-Type: message/rfc822", "Content-Disposition: attachment"],
        `From: x@y.example\r\nSubject: inner\r\nDKIM-Signature: v=1; b=inner\r\n\r\nInner text`,
      ),
    ]),
    ...usual,
  }),
  "a bounce of somebody's message": () => ({
    raw: withHeaders(
      [
        ...without(without(common(), "from"), "subject").filter((line) => !line.startsWith("Return-Path")),
        "From: Mail Delivery System <mailer-daemon@mx.other.example>",
        "Subject: Undelivered",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="rep"',
      ],
      bounceBody,
    ),
    sender: "",
    subject: "Undelivered",
    author: "Mail Delivery System",
  }),
  "a bounce of what we forwarded": () => ({
    raw: withHeaders(common(["MIME-Version: 1.0", 'Content-Type: multipart/report; boundary="rep"']), bounceBody),
    sender: "",
    recipients: ["Forwarder@clinic.example"],
    outcome: "drop",
  }),
  "an automatic answer": () => ({
    raw: withHeaders(
      common([...text, "Auto-Submitted: auto-replied", "Precedence: bulk", "X-Auto-Response-Suppress: All"]),
    ),
    ...usual,
  }),
  "a mailing list": () => ({
    raw: withHeaders(
      common([
        ...text,
        "List-Id: <news.lists.example>",
        "List-Unsubscribe: <https://lists.example/u>",
        "Precedence: list",
        "Reply-To: news@lists.example",
        "References: <zero@lists.example>",
        "In-Reply-To: <zero@lists.example>",
      ]),
    ),
    ...usual,
    replyTo: "news@lists.example",
    sender: "bounces+billing=clinic.example@lists.example",
  }),
  "a blind copy": () => ({
    raw: withHeaders([...without(common(text), "to"), "To: other@elsewhere.example"]),
    ...usual,
    recipients: ["Billing+2026@Clinic.example"],
  }),
  "signatures and seals of servers before": () => ({
    raw: withHeaders(
      common([
        ...text,
        "ARC-Seal: i=1; a=rsa-sha256; cv=none; b=CC",
        "ARC-Message-Signature: i=1; b=DD",
        "ARC-Authentication-Results: i=1; mx.example",
        "Authentication-Results: amazonses.com; spf=pass",
        "DKIM-Signature: v=1; d=second.example; b=EE",
        "Feedback-ID: 1:2:3:AmazonSES",
        "Delivered-To: billing@clinic.example",
        "X-SES-RECEIPT: abc",
        "X-SES-CONFIGURATION-SET: theirs",
      ]),
    ),
    ...usual,
  }),
  "lines that end with LF alone": () => ({
    raw: Buffer.from(withHeaders(common(text), "One.\nTwo.\n").toString("latin1").replaceAll("\r\n", "\n"), "latin1"),
    ...usual,
  }),
  "a lone CR in a header": () => ({
    raw: withHeaders(common([...text, "X-Note: one\rBcc: hidden@evil.example"])),
    ...usual,
  }),
  "a header line of 5000 octets": () => ({
    raw: withHeaders(common([...text, `X-Long: ${"word ".repeat(1_000)}`])),
    ...usual,
  }),
  "a body line of 5000 octets": () => ({ raw: withHeaders(common(text), `${"x".repeat(5_000)}\r\n`), ...usual }),
  "a first line of a mailbox file": () => ({
    raw: Buffer.concat([
      Buffer.from("From ana@sender.example Fri Nov 27 09:00:00 2026\r\n"),
      withHeaders(common(text)),
    ]),
    ...usual,
  }),
  "headers and nothing else": () => ({ raw: Buffer.from(`${lines(...common(text))}\r\n`), ...usual, attachments: [] }),
  "a body that looks like headers": () => ({
    raw: withHeaders(common(text), "Subject: not this one\r\nBcc: nobody@evil.example\r\n\r\nText.\r\n"),
    ...usual,
  }),
  "an author whose name is not ASCII before the @": () => ({
    raw: withHeaders([...without(common(text), "from"), "From: J\xc3\xbcrgen <j\xc3\xbcrgen@sender.example>"]),
    subject: "Referral",
    author: "Jürgen",
    replyTo: "ana@sender.example",
  }),
  "a loop": () => ({
    raw: withHeaders(common([...text, "x-openemr-ops-forwarded:\tclinic-a"])),
    outcome: "MailLoopError",
  }),
  "another installation's forwarding": () => ({
    raw: withHeaders(common([...text, "X-OpenEMR-Ops-Forwarded: clinic-b"])),
    ...usual,
  }),
  "a loop through others": () => ({
    raw: withHeaders([
      ...Array.from({ length: 60 }, (_, hop) => `Received: from h${hop}.example by h${hop + 1}.example`),
      ...common(text),
    ]),
    outcome: "MailLoopError",
  }),
  "no recipient that a route names": () => ({
    raw: withHeaders(common(text)),
    recipients: ["nobody@other.example"],
    outcome: "MailRouteError",
  }),
  "no blank line before the text": () => ({
    raw: Buffer.from(`${lines(...common(text))}\r\nText that follows at once.\r\n`),
    outcome: "MailUnreadableError",
  }),
  "a header without a colon": () => ({
    raw: withHeaders([...common(text), "This is no header", "X-More: 1"]),
    outcome: "MailUnreadableError",
  }),
  "nothing at all": () => ({ raw: Buffer.alloc(0), outcome: "MailUnreadableError" }),
  "blank lines alone": () => ({ raw: Buffer.from("\r\n\r\n"), outcome: "MailUnreadableError" }),
  "random bytes": () => ({ raw: bytesOf("random", 4_000), outcome: "MailUnreadableError" }),
});

/** Messages of every shape that comes in. */
export const mailCorpus = (largeBytes = 24 * 1024 * 1024): readonly CorpusMessage[] =>
  Object.entries(shapes(largeBytes)).map(([shape, make]) => ({
    shape,
    sender: "ana@sender.example",
    recipients: ["billing@clinic.example"],
    outcome: "forward" as const,
    ...make(),
  }));

/** Where the corpus is forwarded to. */
export const corpusSettings = {
  installation: "clinic-a",
  from: "forwarder@clinic.example",
  routes: {
    "billing@clinic.example": ["Office@staff.example", "second@staff.example"],
    "@clinic.example": ["all@staff.example"],
  },
  mostBytes: 40_000_000,
};
