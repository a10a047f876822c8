import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateEmailIdentityCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { type LocalCloud, startLocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { splitMessage } from "@openemr-ops/mail/inbound/rawMessage";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { mailCorpus } from "../support/mailCorpus.ts";
import { resourcesOf } from "../support/templates.ts";

const { prod, directory: assembly } = inject("synth");
interface ReceiptRule {
  readonly Actions: readonly [{ readonly S3Action: Readonly<Record<"BucketName" | "ObjectKeyPrefix", string>> }];
}

/** Where the rule stores messages. */
const [place = { BucketName: "", ObjectKeyPrefix: "" }] = resourcesOf(prod, "AWS::SES::ReceiptRule").map(
  ({ resource }) => (resource.Properties as { readonly Rule: ReceiptRule }).Rule.Actions[0].S3Action,
);

let directory: string;
let cloud: LocalCloud;
const settings = () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = cloud.environment();
  return { endpoint: cloud.endpoint, region: cloud.region, credentials: { accessKeyId, secretAccessKey } };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-inbound-"));
  cloud = await startLocalCloud({ assembly, directory, retryScale: 0.0001 });
  const moto = new SESv2Client({ ...settings(), endpoint: cloud.moto });
  await moto.send(new CreateEmailIdentityCommand({ EmailIdentity: "clinic-a.example.org" }));
}, 120_000);
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Does what SES does: stores the message where the rule says, then calls the function and waits for nothing. */
const receive = async (
  messageId: string,
  raw: Buffer,
  recipients = ["billing@clinic-a.example.org"],
): Promise<void> => {
  await new S3Client({ ...settings(), forcePathStyle: true }).send(
    new PutObjectCommand({ Bucket: place.BucketName, Key: `${place.ObjectKeyPrefix}${messageId}`, Body: raw }),
  );
  const status = { status: "PASS" };
  const ses = {
    mail: { messageId, source: "ana@sender.example", commonHeaders: { subject: "canary-subject" } },
    receipt: { recipients, spamVerdict: status, virusVerdict: status },
  };
  const Payload = JSON.stringify({ Records: [{ eventSource: "aws:ses", eventVersion: "1.0", ses }] });
  const FunctionName = cloud.output("InstallationStack-clinic-a", "ForwardMailFunctionArn");
  await new LambdaClient(settings()).send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
  await cloud.idle();
};

interface Sent {
  readonly source: string;
  readonly destinations: readonly string[];
  readonly raw_data: string;
}

/** What moto took as sent. */
const sent = async (): Promise<readonly Sent[]> => {
  const state = (await (await fetch(`${cloud.moto}/moto-api/data.json`)).json()) as Readonly<Record<string, unknown>>;
  const messages = (state.ses as { readonly Message?: readonly Sent[]; readonly RawMessage?: readonly Sent[] }) ?? {};
  return [...(messages.RawMessage ?? [])];
};

const lettersIn = async (queue: string) => {
  const client = new SQSClient(settings());
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const QueueUrl = QueueUrls.find((url) => url.includes(queue));
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] }),
  );
  return Messages.map(({ Body = "", MessageAttributes }) => ({ Body, error: MessageAttributes?.error?.StringValue }));
};

const rawOf = (shape: string): Buffer => mailCorpus(10_000).find((one) => one.shape === shape)?.raw ?? Buffer.alloc(0);

it("forwards a message that SES stored, with the rights of the stacks alone", async () => {
  const raw = rawOf("an attachment");
  await receive("first0001", raw);
  const [mail, ...more] = await sent();
  expect(more).toEqual([]);
  expect(mail?.source).toBe("forwarder@clinic-a.example.org");
  // moto adds those of the header To, whom SES leaves alone where a request names its targets.
  expect(mail?.destinations[0]).toBe("billing@staff.example.com");
  const was = splitMessage(Buffer.from(mail?.raw_data ?? ""));
  expect(was.body.equals(splitMessage(raw).body)).toBe(true);
  expect(cloud.deniedCalls()).toEqual([]);
}, 60_000);

it("sends once when SES calls twice", async () => {
  const before = (await sent()).length;
  await receive("second0002", rawOf("plain text"));
  await receive("second0002", rawOf("plain text"));
  expect(await sent()).toHaveLength(before + 1);
}, 60_000);

it("puts what nobody can read among the dead letters, under the error's name and without anything of the message", async () => {
  const before = (await sent()).length;
  await receive("third0003", rawOf("a header without a colon"));
  expect(await lettersIn("UndeliveredMail")).toEqual([
    { Body: expect.stringContaining("third0003"), error: "MailUnreadableError" },
  ]);
  expect(JSON.stringify(cloud.deadLetters())).not.toContain("canary-subject");
  expect(await sent()).toHaveLength(before);
}, 60_000);

it("sends what waited, once SES sends again", async () => {
  const before = (await sent()).length;
  cloud.faults.api("ses:SendRawEmail", { code: "TooManyRequestsException", status: 429, times: 2 });
  await receive("fourth0004", rawOf("plain text"));
  expect(await sent()).toHaveLength(before + 1);
  expect(await lettersIn("WaitingMail")).toMatchObject([{ error: "MailServerUnavailableError" }]);
}, 60_000);

it("is lost nowhere when the function itself breaks: Lambda puts the event among the dead letters", async () => {
  cloud.faults.lambda("forwardMail", { name: "Runtime.ExitError" });
  await receive("fifth0005", rawOf("plain text"));
  expect(JSON.stringify(cloud.deadLetters("UndeliveredMail"))).toContain("fifth0005");
}, 60_000);
