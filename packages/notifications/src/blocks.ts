/** Slack's limits. Source: docs.slack.dev/reference/block-kit/blocks and chat.postMessage. */
export const limits = {
  blocks: 50,
  header: 150,
  sectionText: 3000,
  fields: 10,
  fieldText: 2000,
  contextElements: 10,
  /** Slack cuts at 40,000 characters; a phone's lock screen shows far fewer. */
  fallback: 3000,
} as const;

interface Mrkdwn {
  readonly type: "mrkdwn";
  readonly text: string;
  /** Slack does not convert text into links and mentions. */
  readonly verbatim: true;
}

interface PlainText {
  readonly type: "plain_text";
  readonly text: string;
  readonly emoji: true;
}

export type Block =
  | { readonly type: "header"; readonly text: PlainText }
  | { readonly type: "section"; readonly text: Mrkdwn }
  | { readonly type: "section"; readonly fields: readonly Mrkdwn[] }
  | { readonly type: "context"; readonly elements: readonly Mrkdwn[] };

/** A message of Slack's Block Kit. `text` is for notifications and screen readers. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly Block[];
}

const mrkdwn = (text: string): Mrkdwn => ({ type: "mrkdwn", text, verbatim: true });

/** For our own texts and checked identifiers only: plain text cannot be escaped. */
export const header = (text: string): Block => ({
  type: "header",
  text: { type: "plain_text", text: text.slice(0, limits.header), emoji: true },
});

export const section = (text: string): Block => ({ type: "section", text: mrkdwn(text) });

export const context = (texts: readonly string[]): Block => ({
  type: "context",
  elements: texts.slice(0, limits.contextElements).map(mrkdwn),
});

/** Labels with values below them, in two columns, in as many sections as needed. */
export const fields = (texts: readonly string[]): readonly Block[] =>
  Array.from({ length: Math.ceil(texts.length / limits.fields) }, (_, index) => ({
    type: "section" as const,
    fields: texts.slice(index * limits.fields, (index + 1) * limits.fields).map(mrkdwn),
  }));
