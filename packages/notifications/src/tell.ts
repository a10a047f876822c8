import { NotificationRefusedError } from "@openemr-ops/core/errors";
import type { JobLedger } from "@openemr-ops/core/jobs";
import { isQuietKind } from "@openemr-ops/events/jobKinds";
import type { SlackMessage } from "./blocks.ts";
import { endedElsewhereMessage, endedMessage, overdueMessage, resultMessage, startMessage } from "./jobMessages.ts";
import { type AnyJobEvent, hookProblemOf, type Origin, type ResultEvent, type StartEvent } from "./jobWords.ts";
import type { Slack } from "./slack.ts";
import type { MessagePlace, ThreadKey, ThreadStore } from "./threads.ts";

export interface TellContext {
  /** Who sends: several can share a channel. */
  readonly origin: Origin;
  readonly slack: Slack;
  readonly ledger: Pick<JobLedger, "get" | "once">;
  readonly threads: ThreadStore;
  /** Logs a failure that is not important enough to fail. */
  readonly warn: (message: string) => void;
}

/** The outcome: `before` when people had already been notified, `nothing` when there is nothing to notify them of. */
export type Told = "told" | "before" | "nothing";

/** Of a job that runs often, its start and its success. A hook that failed is none. */
const isRoutine = (event: AnyJobEvent): boolean => {
  const { name, detail } = event;
  if (!isQuietKind(detail.kind)) return false;
  return name === "JobStarted" || (name === "JobSucceeded" && hookProblemOf(event) === undefined);
};

const once = async (
  { detail: { installation } }: AnyJobEvent,
  key: string,
  { ledger }: TellContext,
  act: () => Promise<void>,
): Promise<Told> => ((await ledger.once({ topic: "slack", installation, key }, act)) ? "told" : "before");

/** Updates a message. One that cannot be updated (deleted, too old, locked) stays as it is, with a warning. */
const change = async ({ slack, warn }: TellContext, place: MessagePlace, message: SlackMessage): Promise<void> => {
  await slack.update?.(place, message).catch((error: unknown) => {
    if (!(error instanceof NotificationRefusedError)) throw error;
    warn(error.message);
  });
};

/** A name that no other job has. When people name executions, two workflows can use the same name. */
const nameOf = ({ execution, jobId }: { readonly execution?: string | undefined; readonly jobId: string }): string =>
  execution ?? jobId;

/** The key of a job's thread. */
const threadOf = (detail: ResultEvent["detail"] | StartEvent["detail"]): ThreadKey => ({
  installation: detail.installation,
  job: nameOf(detail),
});

const tellStart = async (event: StartEvent, context: TellContext): Promise<Told> => {
  const { detail } = event;
  const hasEnded = async () => {
    const record = await context.ledger.get(detail);
    return record?.endedAt !== undefined && record.execution === detail.execution;
  };
  if (await hasEnded()) return "nothing"; // late: the result is already posted
  return once(event, `start/${nameOf(detail)}`, context, async () => {
    const place = await context.slack.post(startMessage(detail, context.origin));
    if (place === undefined) return;
    await context.threads.put(threadOf(detail), place);
    if (await hasEnded()) await change(context, place, endedElsewhereMessage(detail, context.origin)); // otherwise this message would show "running" for ever
  });
};

/** Slack's error codes for a message that accepts no replies. */
const noThread: ReadonlySet<string> = new Set([
  "cannot_reply_to_message",
  "invalid_thread_ts",
  "message_not_found",
  "restricted_action_non_threadable_channel",
  "restricted_action_thread_locked",
  "thread_not_found",
]);

/** Posts in the job's thread; in the channel when there is no thread, or it accepts no replies. */
const postResult = async (event: ResultEvent, context: TellContext): Promise<void> => {
  const message = resultMessage(event, context.origin);
  const root = await context.threads.get(threadOf(event.detail));
  if (root === undefined) {
    await context.slack.post(message);
    return;
  }
  const broadcast = event.name === "JobFailed" || hookProblemOf(event) !== undefined;
  await context.slack.post(message, { to: root, broadcast }).catch((error: unknown) => {
    if (!(error instanceof NotificationRefusedError) || !noThread.has(error.code)) throw error;
    context.warn(error.message);
    return context.slack.post(message);
  });
};

const tellResult = async (event: ResultEvent, context: TellContext): Promise<Told> => {
  const { detail } = event;
  const told = await once(event, `result/${nameOf(detail)}/${detail.at}`, context, () => postResult(event, context));
  const root = await context.threads.get(threadOf(detail));
  if (root !== undefined) await change(context, root, endedMessage(event, context.origin)); // each time: an earlier delivery may have stopped before this
  return told;
};

/**
 * Notifies people of an event. Safe to repeat with the same event, also concurrently: each start, result and due time is one
 * message, unless Slack accepted one and its response was lost.
 *
 * @throws {ControlPlaneUnavailableError} retryable: Slack or the ledger does not answer, or another delivery is in progress
 * @throws {NotificationRefusedError} fatal: token, channel or webhook is wrong
 */
export const tell = async (event: AnyJobEvent, context: TellContext): Promise<Told> => {
  if (isRoutine(event)) return "nothing";
  switch (event.name) {
    case "JobStarted":
      return tellStart(event, context);
    case "JobSucceeded":
    case "JobFailed":
      return tellResult(event, context);
    case "JobOverdue": {
      const { detail } = event;
      const { origin } = context;
      if (!("stage" in origin)) return "nothing"; // nobody watches schedules there
      return once(event, `overdue/${detail.kind}/${detail.dueAt}`, context, async () => {
        await context.slack.post(overdueMessage(detail, origin.stage));
      });
    }
    case "JobProgressed":
      return "nothing";
  }
};
