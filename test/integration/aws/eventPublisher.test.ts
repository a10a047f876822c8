import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { eventPublisher } from "@openemr-ops/aws/eventPublisher";
import { ControlPlaneAccessDeniedError, ControlPlaneUnavailableError, UnexpectedError } from "@openemr-ops/core/errors";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type AwsServer, startAws } from "../../support/awsServer.ts";
import { type AwsAnswer, startAwsStub } from "../../support/awsStub.ts";

const event: JobEvent = {
  name: "JobStarted",
  detail: {
    version: 1,
    jobId: "01K9ZV6T5W8QH3N2R4X7BCDEFG",
    kind: "dump",
    installation: "clinic-a",
    dryRun: false,
    at: "2026-11-20T12:00:00.000Z",
  },
};
const taken = { body: { FailedEntryCount: 0, Entries: [{ EventId: "1" }] } };
const refused = (ErrorCode: string): AwsAnswer => ({
  body: { FailedEntryCount: 1, Entries: [{ ErrorCode, ErrorMessage: "no" }] },
});

let aws: AwsServer;
beforeAll(async () => {
  aws = await startAws();
});
afterAll(() => aws[Symbol.asyncDispose]());

/** Publishes one event against answers given one after the other; the last one stays. */
const publishAgainst = async (...answers: readonly AwsAnswer[]) => {
  const rest = [...answers];
  await using stub = await startAwsStub(() => (rest.length > 1 ? rest.shift() : rest[0]) ?? taken);
  const client = new EventBridgeClient({ endpoint: stub.url, maxAttempts: 1 });
  const waits: number[] = [];
  const { setTimeout: later } = globalThis;
  vi.stubGlobal("setTimeout", (act: () => void, milliseconds: number) => {
    const pause = [400, 800, 1600].includes(milliseconds);
    if (pause) waits.push(milliseconds);
    return later(act, pause ? 0 : milliseconds);
  });
  const outcome = await eventPublisher({ bus: "bus", client })(event).catch((error: unknown) => error);
  vi.unstubAllGlobals();
  return { outcome, calls: stub.calls.length, waits };
};

describe("the event publisher", () => {
  it("puts an event on the bus under its name, for whoever listens there", async () => {
    const events = new EventBridgeClient();
    const queues = new SQSClient();
    await events.send(new CreateEventBusCommand({ Name: "openemr-ops-test" }));
    const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: "listener" }));
    const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }));
    const EventPattern = JSON.stringify({ source: ["openemr.ops"], "detail-type": ["JobStarted"] });
    const rule = { EventBusName: "openemr-ops-test", Name: "started", EventPattern };
    await events.send(new PutRuleCommand(rule));
    const Targets = [{ Id: "queue", Arn: Attributes?.QueueArn ?? "" }];
    await events.send(new PutTargetsCommand({ EventBusName: "openemr-ops-test", Rule: "started", Targets }));

    await eventPublisher({ bus: "openemr-ops-test" })(event);

    const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body = "" }) => JSON.parse(Body))).toMatchObject([
      { source: "openemr.ops", "detail-type": "JobStarted", detail: event.detail },
    ]);
  });

  it("tries again what the bus did not take, waiting longer each time", async () => {
    const { outcome, calls, waits } = await publishAgainst(
      refused("ThrottlingException"),
      refused("InternalFailure"),
      taken,
    );
    expect(outcome).toBeUndefined();
    expect(calls).toBe(3);
    expect(waits).toEqual([400, 800]);
  });

  it.each<[string, AwsAnswer, unknown, number]>([
    ["an entry that is refused for ever", refused("MalformedDetail"), UnexpectedError, 1],
    ["an entry that nobody takes in four attempts", refused("InternalFailure"), ControlPlaneUnavailableError, 4],
    ["a count of failures without a reason", { body: { FailedEntryCount: 1 } }, ControlPlaneUnavailableError, 4],
    ["a right that is missing", { error: "AccessDeniedException" }, ControlPlaneAccessDeniedError, 1],
    ["a service that is busy", { error: "ThrottlingException" }, ControlPlaneUnavailableError, 1],
  ])("fails on %s", async (_, answer, expected, calls) => {
    const ended = await publishAgainst(answer);
    expect(ended.outcome).toBeInstanceOf(expected);
    expect(ended.calls).toBe(calls);
  });
});
