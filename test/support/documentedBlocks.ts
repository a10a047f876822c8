/** One fenced block of a page that the tests run. */
export interface DocumentedBlock {
  readonly language: "sh" | "sql" | "json" | "python";
  readonly text: string;
  /** Where a reader saves it, when it is a file and no command. */
  readonly file?: string;
  /** The reader stands before a machine on which nothing is left. */
  readonly freshMachine: boolean;
  /** Line of the block's first line, counted from 1. */
  readonly line: number;
}

const marked = /(<!-- fresh machine -->\n+)?<!-- tested(?:: (\/\S+))? -->\n+( *)```(\w+)\n([\s\S]*?)```\n/g;

/**
 * The blocks of a page marked `<!-- tested -->`, in order. `<!-- tested: /a/file -->` is a file that the reader writes;
 * `<!-- fresh machine -->` before the mark begins again with nothing.
 */
export const documentedBlocks = (page: string): readonly DocumentedBlock[] =>
  [...page.matchAll(marked)].map(
    ({ 0: whole, 1: fresh, 2: file, 3: indent = "", 4: language, 5: body = "", index }) => {
      const line = page.slice(0, index + whole.indexOf("```")).split("\n").length + 1;
      if (language !== "sh" && language !== "sql" && language !== "json" && language !== "python")
        throw new TypeError(`line ${line}: a block in ${language} cannot be run`);
      const text = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
      return { language, text, line, freshMachine: fresh !== undefined, ...(file === undefined ? {} : { file }) };
    },
  );
