/**
 * What a terminal, a log reader or a chat would obey instead of showing: control characters, line and paragraph separators,
 * marks that turn the direction of what follows, tags and other invisible marks, halves of a character.
 */
const obeyed =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

const codePoint = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** Whether a character is one of those that `visible` writes out. */
export const isObeyed = (character: string): boolean => character.search(obeyed) >= 0;

/**
 * A text of unknown origin as one line that does nothing but show: `\u{1b}` stands for ESC, `\u{a}` for a line break. Every
 * sink applies it to what it did not write itself; data stays as it is. Applying it twice changes nothing.
 */
export const visible = (foreign: string): string => foreign.replace(obeyed, codePoint);

/** JSON that does nothing but show; whoever parses it gets the very same value. */
export const visibleJson = (value: unknown, indent = 0): string =>
  JSON.stringify(value, null, indent).replace(obeyed, (character) =>
    character === "\n" // JSON's own line breaks: those of texts are escaped already
      ? character
      : Array.from(
          { length: character.length },
          (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
        ).join(""),
  );
