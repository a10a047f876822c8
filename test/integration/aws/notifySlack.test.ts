import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { namesOf } from "@openemr-ops/core/names";
import { type SlackServer, startSlackServer, status } from "@openemr-ops/local/servers/slack";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import failed from "../../../events/samples/JobFailed.v1.json" with { type: "json" };
import overdue from "../../../events/samples/JobOverdue.v1.json" with { type: "json" };
import progressed from "../../../events/samples/JobProgressed.v1.json" with { type: "json" };
import started from "../../../events/samples/JobStarted.v1.json" with { type: "json" };
import succeeded from "../../../events/samples/JobSucceeded.v1.json" with { type: "json" };
import { type AwsServer, createJobsTable, startAws } from "../../support/awsServer.ts";

let aws: AwsServer;
let slack: SlackServer;
let count = 0;
let logged: string;

beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());
beforeEach(async () => {
  logged = "";
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      logged += String(chunk);
      return true;
    });
  slack = await startSlackServer();
  return async () => {
    vi.restoreAllMocks();
    await slack[Symbol.asyncDispose]();
  };
});

const secretHolding = async (text: string): Promise<string> => {
  const { ARN = "" } = await new SecretsManagerClient().send(
    new CreateSecretCommand({ Name: `slack-${count}`, SecretString: text }),
  );
  return ARN;
};

const context = { awsRequestId: "request-1", functionName: "notify", getRemainingTimeInMillis: () => 60_000 };

/** The function as a cold start with these variables makes it, on a stage of its own. */
const coldStart = async (settings?: object) => {
  const stage = `notify${++count}`;
  await createJobsTable(namesOf(stage).jobsTable);
  vi.stubEnv("OPENEMR_OPS_STAGE", stage);
  vi.stubEnv("OPENEMR_OPS_SLACK", settings && JSON.stringify(settings));
  vi.stubEnv("OPENEMR_OPS_SLACK_API", slack.api);
  vi.resetModules();
  const { handler } = await import("@openemr-ops/functions/notify/slack");
  return (event: unknown): Promise<unknown> => Promise.resolve(handler(event, context as unknown as Context));
};

const aBot = async () =>
  coldStart({
    kind: "bot",
    secret: { arn: await secretHolding(JSON.stringify({ token: slack.token })), key: "token" },
    channel: "C0123456789",
  });

/** As CloudWatch publishes it on the account's bus, with fields that nobody reads. */
const anAlarmEvent = (alarmName: string, timestamp: string) => ({
  version: "0",
  id: "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
  source: "aws.cloudwatch",
  "detail-type": "CloudWatch Alarm State Change",
  account: "123456789012",
  resources: [`arn:aws:cloudwatch:us-east-1:123456789012:alarm:${alarmName}`],
  detail: {
    alarmName,
    state: { value: "ALARM", timestamp, reason: "Threshold Crossed" },
    previousState: { value: "OK", timestamp: "2026-11-20T02:30:00.000+0000" },
    configuration: { description: "The function Begin fails (runbook: function-errors)", metrics: [] },
  },
});

const textsSeen = () => slack.seen.map(({ method, body }) => [method, body.text]);

describe("the function that notifies people in Slack", () => {
  it("tells a job's start, its result in the thread, and what is overdue, each once", async () => {
    const notify = await aBot();
    expect(await notify(started[0])).toEqual({ told: "told" });
    expect(await notify(progressed[0])).toEqual({ told: "nothing" });
    expect(await notify(failed[0])).toEqual({ told: "told" });
    expect(await notify(failed[0])).toEqual({ told: "before" });
    expect(await notify(overdue[1])).toEqual({ told: "told" });
    expect(await notify(overdue[1])).toEqual({ told: "before" });

    const failure = "Dump of clinic-a failed after 7 min 12 s: DestinationAccessDeniedError";
    expect(textsSeen()).toEqual([
      ["chat.postMessage", "Dump of clinic-a is running"],
      ["chat.postMessage", failure],
      ["chat.update", failure],
      ["chat.update", failure],
      ["chat.postMessage", "Dump of clinic-a is overdue: no success since it was due at 2026-11-21T02:30:00.000Z"],
    ]);
    expect(slack.seen[1]?.body).toMatchObject({ thread_ts: slack.seen[2]?.body.ts, reply_broadcast: true });
  });

  it("tells once that an installation was removed, when its schedule starts nothing", async () => {
    const notify = await aBot();
    expect(await notify(overdue[0])).toEqual({ told: "told" });
    expect(await notify(overdue[0])).toEqual({ told: "before" });
    const text = "Dump of clinic-a was not started: clinic-a is not in the configuration any more";
    expect(textsSeen()).toEqual([["chat.postMessage", text]]);
  });

  it("tells an alarm that rings, once each time, and leaves jobs that failed to their own messages", async () => {
    const notify = await aBot();
    const name = "prod-openemr-ops-ObservabilityStack-BeginErrorsC6F1D8E3-1ABCDEF";
    const ringing = anAlarmEvent(name, "2026-11-21T02:30:00.000+0000");
    expect(await notify(ringing)).toEqual({ told: "told" });
    expect(await notify(ringing)).toEqual({ told: "before" });
    expect(await notify(anAlarmEvent(name, "2026-11-21T05:30:00.000+0000"))).toEqual({ told: "told" });
    for (const alarm of ["JobsFailedA0B1C2D3", "JobsFailed2A0B1C2D3"]) {
      const jobs = `prod-openemr-ops-InstallationStack-clinic-a-${alarm}-1ABCDEF`;
      expect(await notify(anAlarmEvent(jobs, "2026-11-21T05:30:00.000+0000"))).toEqual({ told: "nothing" });
    }

    expect(textsSeen()).toEqual(Array(2).fill(["chat.postMessage", "Alarm: The function Begin fails"]));
    expect(JSON.stringify(slack.seen[0]?.body)).toContain("docs/runbooks/function-errors.md");
  });

  it("tells a result once when it is delivered many times at once", async () => {
    const notify = await aBot();
    const deliveries = await Promise.allSettled(Array.from({ length: 8 }, () => notify(succeeded[0])));

    expect(slack.seen).toHaveLength(1);
    expect(deliveries.filter(({ status: how }) => how === "fulfilled").length).toBeGreaterThan(0);
    for (const delivery of deliveries)
      if (delivery.status === "rejected")
        expect(delivery.reason).toMatchObject({ name: "ControlPlaneUnavailableError" });
  });

  it("fails under a name when Slack refuses, and tells it at the next delivery", async () => {
    const notify = await aBot();
    slack.failWith(status(200, {}, JSON.stringify({ ok: false, error: "not_in_channel" })));

    await expect(notify(failed[0])).rejects.toMatchObject({ name: "NotificationRefusedError" });
    expect(await notify(failed[0])).toEqual({ told: "told" });
  });

  it("posts with a webhook and with a token that a file with a line break at its end became", async () => {
    const webhook = await coldStart({ kind: "webhook", secret: { arn: await secretHolding(`${slack.webhook}\n`) } });
    await webhook(started[1]);
    const token = { arn: await secretHolding(`${slack.token}\r\n`) };
    const bot = await coldStart({ kind: "bot", secret: token, channel: "C0123456789" });
    await bot(started[1]);
    expect(textsSeen()).toHaveLength(2);
  });

  it("posts to a webhook that a secret holds as plain text", async () => {
    const notify = await coldStart({ kind: "webhook", secret: { arn: await secretHolding(slack.webhook) } });
    await notify(started[1]);
    await notify(succeeded[1]);

    expect(slack.seen.map(({ method }) => method)).toEqual(["webhook", "webhook"]);
  });

  it("tells nobody when the configuration names nobody", async () => {
    const notify = await coldStart();

    expect(await notify(failed[0])).toEqual({ told: "nothing" });
    expect(slack.seen).toEqual([]);
    expect(logged).toContain("the configuration has no notifications.slack");
  });

  it("refuses what is no event of ours", async () => {
    const notify = await aBot();

    await expect(notify({ ...failed[0], source: "aws.s3" })).rejects.toMatchObject({ name: "InvalidInputError" });
    await expect(notify({ ...failed[0], detail: {} })).rejects.toMatchObject({ name: "InvalidInputError" });
  });

  it("never logs a token, a webhook or what a message says", async () => {
    const notify = await aBot();
    await notify(failed[0]);
    const wrong = await coldStart({
      kind: "webhook",
      secret: { arn: await secretHolding("http://hooks.example.org/canary-1") },
    });
    await expect(wrong(failed[0])).rejects.toMatchObject({ name: "InvalidInputError" });

    expect(logged).toContain("task failed");
    expect(logged).not.toContain("canary");
    expect(logged).not.toContain("refuses to delete below");
  });
});
