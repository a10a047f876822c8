import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { namesOf } from "@openemr-ops/core/names";
import { type SlackServer, startSlackServer, status } from "@openemr-ops/local/servers/slack";
import { type LocalCloud, startLocalCloud } from "@openemr-ops/local-cloud/startLocalCloud";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

let directory: string;
let slack: SlackServer;
let cloud: LocalCloud;
let round = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-outage-"));
  slack = await startSlackServer();
  cloud = await startLocalCloud({
    assembly: inject("synth").directory,
    directory,
    retryScale: 0.0001,
    functionEnvironment: { OPENEMR_OPS_SLACK_API: slack.api },
  });
  await cloud.putSecret("openemr-ops/slack", slack.token);
});
afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]();
  await slack?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  round++;
});

const at = "2026-11-21T02:37:16.480Z";
const job = (installation: string, id: string) => ({
  version: 1,
  installation,
  kind: "dump",
  at,
  jobId: `job-${round}-${id}`,
  dryRun: false,
});
const started = (installation: string, id: string) => ({ name: "JobStarted", detail: job(installation, id) });
const failed = (installation: string, id: string) => ({
  name: "JobFailed",
  detail: {
    ...job(installation, id),
    status: "failed",
    seconds: 10,
    result: {},
    error: { name: "DestinationFullError", message: `no space for ${id}` },
  },
});

type Said = { readonly name: string; readonly detail: object };

const settings = () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = cloud.environment();
  return { endpoint: cloud.endpoint, region: cloud.region, credentials: { accessKeyId, secretAccessKey } };
};

/** Messages of the queue whose name contains the text, taken out of it. */
const messagesIn = async (queue: string): Promise<readonly unknown[]> => {
  const client = new SQSClient(settings());
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const QueueUrl = QueueUrls.find((url) => url.includes(queue));
  const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
  return Messages.map(({ Body = "" }) => JSON.parse(Body));
};

const publish = async (...events: readonly Said[]): Promise<void> => {
  const client = new EventBridgeClient(settings());
  for (const { name, detail } of events)
    await client.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: namesOf("prod").bus,
            Source: "openemr.ops",
            DetailType: name,
            Detail: JSON.stringify(detail),
          },
        ],
      }),
    );
};

/** Messages that Slack took after so many requests that it refused, each with the jobs it names. */
const takenAfter = (first: number, refused: number): readonly string[] =>
  slack.seen
    .slice(first + refused)
    .filter(({ method }) => method === "chat.postMessage")
    .map(({ body }) => /job-\d+-[a-z]+/.exec(JSON.stringify(body))?.[0] ?? "no job");

/** One request of Slack's each six minutes: more than an hour. */
const outage = 20;

const refusals = {
  "asks to wait for an hour": () => status(429, { "retry-after": "3600" }),
  "takes no token": () => status(200, {}, JSON.stringify({ ok: false, error: "token_revoked" })),
};

describe("while Slack refuses", () => {
  it.each(Object.entries(refusals))(
    "and %s, every message waits, and arrives afterwards, once and in order",
    async (_, refusal) => {
      const first = slack.seen.length;
      slack.failWith(...Array.from({ length: outage }, refusal));
      await publish(
        started("clinic-a", "one"),
        started("clinic-b", "two"),
        failed("clinic-a", "one"),
        started("clinic-a", "three"),
        failed("clinic-b", "two"),
        failed("clinic-a", "three"),
      );
      await cloud.idle();

      const name = (id: string) => `job-${round}-${id}`;
      expect(takenAfter(first, outage)).toEqual(["one", "two", "one", "three", "two", "three"].map(name));
      expect(cloud.deadLetters()).toEqual([]);
    },
  );

  it("a message that comes twice is sent once", async () => {
    const first = slack.seen.length;
    slack.failWith(...Array.from({ length: outage }, refusals["asks to wait for an hour"]));
    const lift = cloud.faults.deliverTwice();
    await publish(started("clinic-a", "one"), failed("clinic-a", "one"));
    await cloud.idle();
    lift();

    expect(takenAfter(first, outage)).toEqual([`job-${round}-one`, `job-${round}-one`]);
    expect(cloud.deadLetters()).toEqual([]);
  });

  it("a message that only it does not take is set aside, and holds up no other", async () => {
    const first = slack.seen.length;
    slack.failWith(status(200, {}, JSON.stringify({ ok: false, error: "msg_too_long" })));
    await publish(
      { name: "JobStarted", detail: { version: 99 } },
      started("clinic-a", "one"),
      started("clinic-a", "two"),
    );
    await cloud.idle();

    expect(takenAfter(first, 1)).toEqual([`job-${round}-two`]);
    expect(await messagesIn("UndeliveredNotifications")).toEqual([
      expect.objectContaining({ detail: { version: 99 } }),
      expect.objectContaining({ detail: expect.objectContaining({ jobId: `job-${round}-one` }) }),
    ]);
  });
});

it("grants the function what it needs to read the queue and to set aside, and nothing that it does not use", () => {
  expect(cloud.deniedCalls()).toEqual([]);
  expect(
    cloud
      .unusedGrants()
      .filter(({ role, action }) => role.includes("NotifySlack") && action.startsWith("sqs:"))
      .map(({ action }) => action),
  ).toEqual([]);
});
