import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeployedFeed, DeployedFunction, DeployedQueue, Deployment } from "./deployment.ts";
import type { FunctionHost } from "./functions.ts";
import type { AccessControl } from "./iam/accessControl.ts";
import { keyCallsOf } from "./iam/calls.ts";
import type { Json } from "./json.ts";
import { findFunction } from "./taskStates.ts";

interface Message {
  readonly id: string;
  readonly body: Json;
  readonly sentAt: number;
  deliveries: number;
}

interface FeedOptions {
  readonly deployment: Deployment;
  readonly access: AccessControl;
  readonly functions: FunctionHost;
  /** The seconds until a message comes again are multiplied by it. */
  readonly retryScale: number;
}

/**
 * Queues that feed functions. The messages of a group come in their order, each when the one before is done; one that fails
 * comes again when it is visible again, for ever. A message that is sent twice is here twice: SQS forgets after five minutes
 * what it has seen.
 */
export const queueFeeds = ({ deployment, access, functions, retryScale }: FeedOptions) => {
  const groups = new Map<string, Message[]>();
  let closed = false;

  /** Lambda takes messages under the function's role. */
  const mayTake = (fn: DeployedFunction, arn: string, { key }: DeployedQueue): boolean => {
    const principal = { name: `function ${fn.name}`, role: fn.role };
    const calls = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((action) => ({
      action,
      resource: arn,
      context: {},
    }));
    return [...calls, ...(key ? keyCallsOf("sqs", key, deployment) : [])].every((call) =>
      access.allows(principal, call),
    );
  };

  const recordOf = ({ id, body, sentAt, deliveries }: Message, queue: string, group: string): Json => ({
    messageId: id,
    receiptHandle: id,
    body: JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: String(deliveries),
      SentTimestamp: String(sentAt),
      MessageGroupId: group,
    },
    messageAttributes: {},
    eventSource: "aws:sqs",
    eventSourceARN: queue,
    awsRegion: deployment.region,
  });

  const pump = async (feed: DeployedFeed, queue: DeployedQueue, group: string, waiting: Message[]): Promise<void> => {
    const fn = findFunction(deployment, feed.function);
    for (let head = waiting[0]; head && fn && !closed; head = waiting[0]) {
      head.deliveries++;
      const taken = mayTake(fn, feed.queue, queue)
        ? await functions.invoke(fn, { Records: [recordOf(head, feed.queue, group)] })
        : undefined;
      if (taken && "payload" in taken) waiting.shift();
      else await sleep(queue.visibilitySeconds * 1000 * retryScale, undefined, { ref: false });
    }
  };

  return {
    /** Where messages for the queue are put in; nothing where no queue feeds a function or the order is not said. */
    entrance: (arn: string, group = "") => {
      const queue = deployment.queues.get(arn);
      const feed = deployment.feeds.find((one) => one.queue === arn);
      if (!queue || !feed || (queue.fifo && group === "")) return undefined;
      return (body: Json, later: (work: Promise<unknown>) => void): void => {
        const key = queue.fifo ? `${arn} ${group}` : `${arn} ${randomUUID()}`;
        const waiting = groups.get(key) ?? [];
        groups.set(key, waiting);
        waiting.push({ id: randomUUID(), body, sentAt: Date.now(), deliveries: 0 });
        if (waiting.length === 1)
          later(pump(feed, queue, group, waiting).finally(() => waiting.length === 0 && groups.delete(key)));
      };
    },
    close: (): void => {
      closed = true;
    },
  };
};
