import { visible } from "@openemr-ops/core/visible";

/**
 * Markup: our own tags, and all other text escaped. Only `html`, and what is built on it, makes one, so that no other text
 * becomes markup.
 */
export class Html {
  readonly source: string;
  /** @param source our own alone; `html` is for everything else */
  constructor(source: string) {
    this.source = source;
  }
}

/** What a template of `html` accepts. */
export type Foreign = string | number | Html | readonly Html[];

const references: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  visible(text).replace(/[&<>"']/g, (character) => references[character] ?? character);

const sourceOf = (value: Foreign): string => {
  if (value instanceof Html) return value.source;
  if (typeof value === "object") return value.map(({ source }) => source).join("");
  return escaped(String(value));
};

/**
 * A template whose tags are ours; what is put in is text, within an element or between the quotation marks of an attribute.
 * Control characters in it are written out.
 */
export const html = (words: TemplateStringsArray, ...values: readonly Foreign[]): Html =>
  new Html(words.map((word, index) => (index === 0 ? word : sourceOf(values[index - 1] ?? "") + word)).join(""));

export const nothing = new Html("");
