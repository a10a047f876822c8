import { visible } from "@openemr-ops/core/visible";

/**
 * Text for a terminal: our own words and line breaks, and all other text with its control characters made visible.
 * Only `shown`, and what is built on it, makes one, so that no other text reaches the terminal.
 */
export class Shown {
  readonly text: string;
  /** @param text our own alone; `shown` is for everything else */
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template of `shown` accepts. */
export type Foreign = string | number | Shown | readonly Shown[];

const textOf = (value: Foreign): string => {
  if (value instanceof Shown) return value.text;
  if (typeof value === "object") return value.map(({ text }) => text).join("");
  return visible(String(value));
};

/** A template whose words are ours; what is put in is made visible, unless it was before. */
export const shown = (words: TemplateStringsArray, ...values: readonly Foreign[]): Shown =>
  new Shown(words.map((word, index) => (index === 0 ? word : textOf(values[index - 1] ?? "") + word)).join(""));

export const nothing = new Shown("");
