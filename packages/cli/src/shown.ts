import { visible } from "@openemr-ops/core/visible";

/**
 * Text for a terminal: our own words and line breaks, and of all that came from elsewhere only what shows and does nothing.
 * Made by `shown` and by what is built on it, so that nothing gets to the terminal that went past it.
 */
export class Shown {
  readonly text: string;
  /** @param text our own alone; `shown` is for everything else */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template of `shown`. */
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
