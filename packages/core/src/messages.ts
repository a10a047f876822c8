import type { WorkflowKind } from "./names.ts";

/** Which message: a job's start, a job's result, or a due time that came without a success. */
export type MessageKey =
  | { readonly about: "start" | "result"; readonly jobId: string }
  | {
      readonly about: "overdue";
      readonly installation: string;
      readonly kind: WorkflowKind;
      /** ISO 8601 UTC. */
      readonly dueAt: string;
    };

/** Where a chat keeps a message, so that it can be answered and changed. */
export interface MessagePlace {
  readonly channel: string;
  /** Slack's name for a message within its channel: seconds with a fraction. */
  readonly ts: string;
}

/** A message that was taken. `place` is absent where the chat does not tell it, as with a webhook. */
export interface SentMessage {
  readonly place?: MessagePlace;
}

/**
 * What was sent, so that an event that comes twice is told once, and a message that was refused can be sent later. Only the
 * holder of a reservation sends; a holder that dies loses it when its lease runs out. Implementations pass
 * `test/contract/messages.ts`.
 */
export interface MessageLedger {
  get(key: MessageKey): Promise<SentMessage | undefined>;
  /** `elsewhere`: somebody else is sending it, or died while doing so less than a lease ago. Repeatable by its owner. */
  reserve(key: MessageKey, owner: string, leaseSeconds: number): Promise<"reserved" | "sent" | "elsewhere">;
  /** Writes down that it was sent. Ends the reservation for good. */
  confirm(key: MessageKey, message: SentMessage): Promise<void>;
  /** Gives a reservation back: nothing was sent. Never frees somebody else's. */
  release(key: MessageKey, owner: string): Promise<void>;
}
