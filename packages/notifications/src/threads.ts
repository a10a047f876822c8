/** Where a chat keeps a message, so that it can be answered and changed. */
export interface MessagePlace {
  /** The channel's identifier. */
  readonly channel: string;
  /** Slack's name for a message within its channel: seconds with a fraction. */
  readonly ts: string;
}

/** Which job a thread is of. */
export interface ThreadKey {
  readonly installation: string;
  /** The ARN of its execution, or its identifier where there is none. */
  readonly job: string;
}

/** Remembers the message under which a job's thread hangs. Implementations pass `test/contract/threads.ts`. */
export interface ThreadStore {
  get(job: ThreadKey): Promise<MessagePlace | undefined>;
  /** Inserts or replaces. */
  put(job: ThreadKey, root: MessagePlace): Promise<void>;
}
