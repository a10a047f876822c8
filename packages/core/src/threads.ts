/** Where a chat keeps a message, so that it can be answered and changed. */
export interface MessagePlace {
  /** The channel's identifier. */
  readonly channel: string;
  /** Slack's name for a message within its channel: seconds with a fraction. */
  readonly ts: string;
}

/** Remembers the message under which a job's thread hangs. Implementations pass `test/contract/threads.ts`. */
export interface ThreadStore {
  /** @param job the ARN of its execution, or its identifier where there is none */
  get(job: string): Promise<MessagePlace | undefined>;
  /** Inserts or replaces. */
  put(job: string, root: MessagePlace): Promise<void>;
}
