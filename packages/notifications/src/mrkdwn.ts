import { isObeyed } from "@openemr-ops/core/visible";

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Escapes a foreign text for Slack's mark-up: `&`, `<` and `>` are escaped, so that it mentions nobody and contains no link. It
 * is cut with an ellipsis so that the escaped form fits, never within an escape or a character. Line breaks are kept.
 * Source of the three characters: docs.slack.dev/messaging/formatting-message-text#escaping.
 *
 * @param most length of the result, in UTF-16 code units, as Slack counts
 */
export const escaped = (foreign: string, most: number): string => {
  let text = "";
  let fits = ""; // the part that leaves room for the ellipsis
  for (const character of foreign.replace(/\r\n?/g, "\n")) {
    const next = text + (character === "\n" ? "\n" : isObeyed(character) ? " " : (escapes[character] ?? character));
    if (next.length > most) return `${fits}…`.slice(0, Math.max(0, most));
    if (next.length < most) fits = next;
    text = next;
  }
  return text;
};

/** The same on one line. The characters for bold, struck and code have no effect. */
export const inLine = (foreign: string, most: number): string =>
  escaped(
    foreign
      .replace(/\s+/g, " ")
      .replace(/[*_~`]/g, (mark) => `${mark}\u200b`)
      .trim(),
    most,
  );

/** The same as code on one line: for a text that people copy. */
export const inCode = (foreign: string, most: number): string =>
  `\`${escaped(foreign.replace(/\s+/g, " ").replaceAll("`", "'").trim() || "-", most - 2)}\``;

/** The same as a block of code, in which only its own end is mark-up. */
export const asCode = (foreign: string, most: number): string =>
  `\`\`\`${escaped(foreign.replaceAll("`", "'"), most - 6)}\`\`\``;
