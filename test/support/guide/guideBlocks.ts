/** One fenced block of a guide, and what its page says about running it. */
export interface GuideBlock {
  readonly page: string;
  /** Line of the block's first line, counted from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Title of the section. */
  readonly section: string;
  /** `run`: a reader types it; `file`: a reader saves it under this name; `not run`: for this reason. */
  readonly step:
    | { readonly kind: "run" }
    | { readonly kind: "file"; readonly name: string }
    | { readonly kind: "not run"; readonly reason: string };
}

const fence = /^( *)```(\w*)\n([\s\S]*?)^\1```$/gm;
const mark = /<!-- (tested|not run)(?:: ([^>]+?))? -->\n+$/;

const stepOf = (before: string, language: string, where: string): GuideBlock["step"] => {
  const [, word, what] = mark.exec(before) ?? [];
  if (word === "tested" && what === undefined && language !== "sh")
    throw new TypeError(`${where} is no block of sh; expected <!-- tested: file --> for what a reader saves`);
  if (word === "tested") return what === undefined ? { kind: "run" } : { kind: "file", name: what };
  if (word === "not run" && what !== undefined) return { kind: "not run", reason: what };
  throw new TypeError(
    `${where} says neither that it is tested nor why not; expected <!-- tested -->, <!-- tested: file --> or <!-- not run: reason --> before the block`,
  );
};

/**
 * Every block of a page, in order.
 *
 * @throws {TypeError} a block has no mark, so nobody would notice that it is not run, or it is marked as run and no command
 */
export const guideBlocks = (name: string, page: string): readonly GuideBlock[] =>
  [...page.matchAll(fence)].map(({ 1: indent = "", 2: language = "", 3: body = "", index }) => {
    const before = page.slice(0, index);
    const line = before.split("\n").length + 1;
    const titles = [...before.matchAll(/^##+ (.*)$/gm)];
    return {
      page: name,
      line,
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      section: titles.at(-1)?.[1] ?? "",
      step: stepOf(before, language, `${name}:${line}`),
    };
  });
