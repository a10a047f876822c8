/** The place of a message in a chat: needed to reply to it and to update it. */
export interface MessagePlace {
  /** The channel's identifier. */
  readonly channel: string;
  /** Slack's identifier of a message within its channel: seconds with a fraction. */
  readonly ts: string;
}

/** Identifies a job's thread. */
export interface ThreadKey {
  readonly installation: string;
  /** The ARN of its execution, or its identifier where there is none. */
  readonly job: string;
}

/** Stores the first message of each job's thread. Implementations pass `test/contract/threads.ts`. */
export interface ThreadStore {
  get(job: ThreadKey): Promise<MessagePlace | undefined>;
  /** Inserts or replaces. */
  put(job: ThreadKey, root: MessagePlace): Promise<void>;
}
