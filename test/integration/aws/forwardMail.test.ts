import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { namesOf } from "@openemr-ops/core/names";
import { splitMessage } from "@openemr-ops/mail/inbound/rawMessage";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";
import { corpusSettings, mailCorpus } from "../../support/mailCorpus.ts";
import { startSesDouble } from "../../support/sesDouble.ts";

type Answer = Parameters<typeof startSesDouble>[0];
type Handler = (event: unknown, context: unknown) => Promise<Readonly<Record<string, unknown>>>;

const bucket = "clinic-a-mail";
let aws: AwsServer;
let ses: Awaited<ReturnType<typeof startSesDouble>>;
let answer: NonNullable<Answer> = () => undefined;
let run: (event: unknown) => Promise<Readonly<Record<string, unknown>>>;
let sqs: SQSClient;
let s3: S3Client;
const queues = new Map<string, string>();

beforeAll(async () => {
  aws = await startAws();
  ses = await startSesDouble((...request) => answer(...request));
  sqs = new SQSClient();
  s3 = new S3Client({ forcePathStyle: true });
  await createJobsTable(namesOf("dev-mail").jobsTable);
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const name of ["waiting", "undelivered"])
    queues.set(name, (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? "");
  const { from, routes } = corpusSettings;
  const environment = {
    AWS_ENDPOINT_URL_SESV2: ses.url,
    OPENEMR_OPS_STAGE: "dev-mail",
    OPENEMR_OPS_INSTALLATION: "clinic-a",
    OPENEMR_OPS_WAITING_QUEUE: queues.get("waiting"),
    OPENEMR_OPS_UNDELIVERED_QUEUE: queues.get("undelivered"),
    OPENEMR_OPS_INBOUND_MAIL: JSON.stringify({ region: "us-east-1", bucket, retentionDays: 30, from, routes }),
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { handler } = await import("../../../functions/mail/forwardMail.ts");
  run = (event) => (handler as unknown as Handler)(event, { functionName: "ForwardMail" });
}, 60_000);
afterAll(async () => {
  await ses[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
});
beforeEach(() => {
  answer = () => undefined;
  ses.sent.length = 0;
});

let count = 0;
const stored = async (raw: Buffer, metadata: Record<string, string> = {}): Promise<string> => {
  count += 1;
  const messageId = `message${count}`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `inbound/${messageId}`, Body: raw, Metadata: metadata }));
  return messageId;
};

/** As SES gives it to a function; the subject stands for all the headers that it repeats. */
const anEvent = (
  messageId: string,
  { sender = "ana@sender.example", recipients = ["billing@clinic.example"] as readonly string[] } = {},
) => ({
  Records: [
    {
      eventSource: "aws:ses",
      eventVersion: "1.0",
      ses: {
        mail: { messageId, source: sender, commonHeaders: { subject: "canary-subject" }, headers: [] },
        receipt: {
          recipients,
          spamVerdict: { status: "PASS" },
          virusVerdict: { status: "PASS" },
          action: { type: "Lambda", invocationType: "Event" },
        },
      },
    },
  ],
});

const queued = (body: string, deliveries = 1) => ({
  Records: [{ body, attributes: { SentTimestamp: "1764234000000", ApproximateReceiveCount: String(deliveries) } }],
});

const lettersIn = async (name: string) => {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queues.get(name),
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ["All"],
      VisibilityTimeout: 3600,
    }),
  );
  return Messages.map(({ Body = "", MessageAttributes }) => ({
    body: Body,
    error: MessageAttributes?.error?.StringValue,
  }));
};

const small = mailCorpus(100_000);
const plain = small.find(({ shape }) => shape === "plain text")?.raw ?? Buffer.alloc(0);

it("forwards or sets aside every shape of message, loses none, and logs nothing of any", async () => {
  let logged = "";
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      logged += String(chunk);
      return true;
    }),
  );
  using _ = { [Symbol.dispose]: () => spies.forEach((spy) => void spy.mockRestore()) };
  for (const { shape, raw, sender, recipients, outcome } of small) {
    ses.sent.length = 0;
    const messageId = await stored(raw);
    const done = await run(anEvent(messageId, { sender, recipients }));
    const letters = await lettersIn("undelivered");
    if (outcome.endsWith("Error")) {
      expect([shape, done]).toEqual([shape, { action: "set aside", error: outcome }]);
      expect(letters).toEqual([{ body: expect.stringContaining(messageId), error: outcome }]);
    } else {
      expect([shape, done.action, letters]).toEqual([shape, outcome, []]);
      for (const mail of ses.sent) expect(splitMessage(mail.raw).body.equals(splitMessage(raw).body)).toBe(true);
    }
    expect([shape, ses.sent.length]).toEqual([shape, outcome === "forward" ? 1 : 0]);
  }
  expect(logged).toContain("message set aside");
  for (const secret of ["canary-subject", "Referral", "Ana", "ana@", "billing", "staff.example", "evil.example"])
    expect(logged).not.toContain(secret);
}, 60_000);

it("sends 24 MB, byte by byte", async () => {
  const large = mailCorpus().find(({ shape }) => shape === "a large attachment")?.raw ?? Buffer.alloc(0);
  expect(large.length).toBeGreaterThan(30_000_000);
  expect(await run(anEvent(await stored(large)))).toMatchObject({ action: "forward", sent: 2 });
  expect(ses.sent[0]?.raw.length).toBeGreaterThan(30_000_000);
}, 60_000);

it("sends once when SES reports a message twice", async () => {
  const event = anEvent(await stored(plain));
  await run(event);
  expect(await run(event)).toMatchObject({ action: "forward", sent: 0, before: 2 });
  expect(ses.sent).toHaveLength(1);
});

it.each(["TooManyRequestsException", "LimitExceededException"])(
  "waits when SES answers %s, and sends later",
  async (error) => {
    answer = () => ({ error, status: 429 });
    const messageId = await stored(plain);
    expect(await run(anEvent(messageId))).toEqual({ action: "wait", error: "MailServerUnavailableError" });
    const [letter, ...more] = await lettersIn("waiting");
    expect(more).toEqual([]);
    expect(letter?.body).not.toContain("canary-subject");
    await expect(run(queued(letter?.body ?? ""))).rejects.toMatchObject({ name: "MailServerUnavailableError" });
    answer = () => undefined;
    expect(await run(queued(letter?.body ?? "", 2))).toMatchObject({ action: "forward", sent: 2 });
    expect(ses.sent).toHaveLength(1);
  },
);

it("sends again when the answer to a send was lost: twice is better than never", async () => {
  const cut = { now: true };
  answer = () => (cut.now ? "cut off" : undefined);
  const event = anEvent(await stored(plain));
  expect(await run(event)).toEqual({ action: "wait", error: "ControlPlaneUnavailableError" });
  const [letter] = await lettersIn("waiting");
  cut.now = false;
  expect(await run(queued(letter?.body ?? ""))).toMatchObject({ action: "forward", sent: 2 });
  expect(ses.sent).toHaveLength(2);
});

it.each([
  { said: "MessageRejected", message: "Email address is not verified: canary@x.example", error: "MailRejectedError" },
  { said: "BadRequestException", message: "Missing final '@domain'", error: "MailRejectedError" },
  { said: "SendingPausedException", message: "paused", error: "MailRejectedError" },
  { said: "AccountSuspendedException", message: "suspended", error: "MailRejectedError" },
])("sets a message aside that SES refuses with $said", async ({ said, message, error }) => {
  answer = () => ({ error: said, message });
  expect(await run(anEvent(await stored(plain)))).toEqual({ action: "set aside", error });
  expect(await lettersIn("undelivered")).toMatchObject([{ error }]);
});

it("sends a notice when SES finds a message too large", async () => {
  answer = ({ Content }) =>
    Buffer.from(Content.Raw.Data, "base64").includes("Referral")
      ? { error: "MessageRejected", message: "Message length is more than 41943040 bytes long" }
      : undefined;
  const messageId = await stored(plain);
  expect(await run(anEvent(messageId))).toMatchObject({ action: "notify", sent: 2 });
  expect(ses.sent[0]?.raw.toString()).toContain(`s3://${bucket}/inbound/${messageId}`);
});

it.each([
  { wrong: "is not in the archive", metadata: undefined },
  { wrong: "was encrypted on the client's side", metadata: { "x-amz-key-v2": "AAAA" } },
])("sets a message aside that $wrong, and sends nothing of it", async ({ metadata }) => {
  const messageId = metadata ? await stored(plain, metadata) : "absent";
  expect(await run(anEvent(messageId))).toEqual({ action: "set aside", error: "MailUnreadableError" });
  expect(ses.sent).toEqual([]);
  expect(await lettersIn("undelivered")).toHaveLength(1);
});

it.each([
  ["no event of SES", {}],
  ["a message whose name leads elsewhere", anEvent("../other/secret")],
])("refuses %s", async (_, event) => {
  await expect(run(event)).rejects.toMatchObject({ name: "InvalidInputError" });
});
