import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toOpsError } from "@openemr-ops/core/errors";
import { forwardStoredMail } from "@openemr-ops/mail/inbound/forwardStoredMail";
import { splitMessage } from "@openemr-ops/mail/inbound/rawMessage";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CorpusMessage, corpusSettings, mailCorpus } from "../../support/mailCorpus.ts";
import { memoryMail } from "../../support/memoryMail.ts";

interface Opinion {
  readonly subject: string | null;
  readonly author: string | null;
  readonly from: readonly string[];
  readonly replyTo: readonly string[];
  readonly names: readonly string[];
  readonly attachments: readonly string[];
}

const digest = (bytes: string | ArrayBuffer | Uint8Array): string =>
  createHash("sha256")
    .update(typeof bytes === "string" ? bytes : new Uint8Array(bytes))
    .digest("hex");

const readByPostalMime = async (raw: Buffer): Promise<Opinion> => {
  const { subject, from, replyTo, headers, attachments } = await PostalMime.parse(raw);
  return {
    subject: subject ?? null,
    author: from?.name ?? null,
    from: from?.address ? [from.address] : [],
    replyTo: (replyTo ?? []).flatMap(({ address }) => address ?? []),
    names: [...new Set(headers.map(({ key }) => key))].sort(),
    attachments: attachments
      .filter(({ mimeType }) => !/^(text|message)\//.test(mimeType))
      .map(({ content }) => digest(content)),
  };
};

const corpus = mailCorpus();
const delivered = corpus.filter(({ outcome }) => outcome === "forward");
const results = new Map<
  string,
  { readonly outcome: string; readonly raws: readonly Buffer[]; readonly to: readonly string[] }
>();
const byPython = new Map<string, Opinion>();

const forward = async ({ raw, sender, recipients }: CorpusMessage) => {
  const { forwarding, sent } = memoryMail({ one: raw }, corpusSettings);
  const receipt = { messageId: "one", sender, recipients, virus: "PASS", spam: "PASS" } as const;
  const outcome = await forwardStoredMail(receipt, forwarding).then(
    ({ action }) => action,
    (error: unknown) => toOpsError(error).name,
  );
  return { outcome, raws: sent.map((mail) => mail.raw), to: sent.flatMap(({ to }) => to) };
};

const resultOf = (shape: string): Buffer => {
  const [raw, ...more] = results.get(shape)?.raws ?? [];
  expect(more).toEqual([]);
  if (!raw) throw new Error(`${shape} was not sent`);
  return raw;
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-mail-"));
  for (const message of corpus) results.set(message.shape, await forward(message));
  const files = await Promise.all(
    delivered.map(async ({ shape }, at) => {
      const file = join(directory, `${at}.eml`);
      await writeFile(file, resultOf(shape));
      return file;
    }),
  );
  const script = fileURLToPath(new URL("../../support/readMail.py", import.meta.url));
  const said = execFileSync("python3", [script, ...files], { encoding: "utf8", maxBuffer: 2 ** 26 });
  for (const [at, line] of said.trim().split("\n").entries())
    byPython.set(delivered[at]?.shape ?? "", JSON.parse(line));
}, 120_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

it("takes at least 40 shapes of messages, and each ends in exactly one way", () => {
  expect(corpus.length).toBeGreaterThanOrEqual(40);
  expect(Object.fromEntries(corpus.map(({ shape }) => [shape, results.get(shape)?.outcome]))).toEqual(
    Object.fromEntries(corpus.map(({ shape, outcome }) => [shape, outcome])),
  );
  for (const { shape, outcome } of corpus)
    expect([shape, results.get(shape)?.raws.length]).toEqual([shape, outcome === "forward" ? 1 : 0]);
});

it("sends to the envelope's recipients alone, whatever headers name", () => {
  for (const { shape } of delivered)
    expect([shape, results.get(shape)?.to]).toEqual([shape, ["Office@staff.example", "second@staff.example"]]);
});

describe.each(delivered)("$shape", ({ shape, raw, subject, author, replyTo, attachments }) => {
  it("keeps the body, byte by byte", () => {
    expect(digest(splitMessage(resultOf(shape)).body)).toBe(digest(splitMessage(raw).body));
  });

  it("has the right subject, sender and attachments for two independent readers", async () => {
    for (const opinion of [await readByPostalMime(resultOf(shape)), byPython.get(shape)]) {
      expect(opinion?.from).toEqual([corpusSettings.from]);
      if (author !== undefined) expect(opinion?.author).toBe(author);
      if (subject !== undefined) expect(opinion?.subject ?? "").toBe(subject);
      if (replyTo !== undefined) expect(opinion?.replyTo[0]).toBe(replyTo);
      if (attachments !== undefined) expect(opinion?.attachments).toEqual(attachments);
    }
  });

  it("has no header that was true of the first delivery alone, and none twice that must be there once", () => {
    const { headers } = splitMessage(resultOf(shape));
    const names = headers.map(({ name }) => name);
    for (const name of names)
      expect(name).not.toMatch(/^(bcc|arc-.*|delivered-to|dkim-signature|feedback-id|return-path|sender|x-ses-.*)$/);
    for (const name of ["from", "reply-to", "subject", "to", "date", "message-id", "references", "content-type"])
      expect(names.filter((one) => one === name).length).toBeLessThanOrEqual(1);
    for (const opinion of [byPython.get(shape)]) expect(opinion?.names).not.toContain("bcc");
    for (const { bytes } of headers)
      for (const line of bytes.toString("latin1").split("\r\n")) {
        expect(line.length).toBeLessThanOrEqual(998);
        expect(line).not.toMatch(/[\r\n\0]/);
      }
  });
});

it("refers to the message before, because the mail service gives it another identifier", async () => {
  const list = await PostalMime.parse(resultOf("a mailing list"));
  expect(list.references).toBe("<zero@lists.example> <one@sender.example>");
  expect(list.inReplyTo).toBe("<zero@lists.example>");
  expect((await PostalMime.parse(resultOf("plain text"))).references).toBe("<one@sender.example>");
});

it("keeps claims of the server before under another name", async () => {
  const { headers } = await PostalMime.parse(resultOf("signatures and seals of servers before"));
  expect(headers.find(({ key }) => key === "x-original-authentication-results")?.value).toBe("amazonses.com; spf=pass");
});
