import { InvalidInputError } from "@openemr-ops/core/errors";

/** Which entries of a sites tree are selected. A directory that is selected takes everything below it along. */
export interface FileSelection {
  /** How many patterns or paths were given. */
  readonly size: number;
  /** Numbers of those that select the entry. @param path below the tree's root, as a {@link ListedEntry} has it */
  matching(path: string): readonly number[];
  /** The same for restic's `--include`. */
  readonly includes: readonly string[];
  /** Directories or files outside of which nothing is selected, below the root; `""` is the root itself. */
  readonly within: readonly string[];
}

/** Stands for each byte that is no UTF-8. */
const mark = "\ufffd";
const isPlain = (segment: string): boolean => !/[*?\ufffd]/.test(segment);
/** restic's own pattern: a backslash before what it does not take literally. The first name is the tree's. */
const toInclude = (segments: readonly string[]): string => `/${["*", ...segments].join("/")}`.replaceAll(mark, "?");
const escaped = (segment: string): string => segment.replace(/[\\[]/g, "\\$&");

const expressionOf = (segments: readonly string[]): RegExp => {
  const parts = segments.map((segment) =>
    segment === "**"
      ? "(?:[^/]+/)*"
      : `${segment
          .replace(/[.+^${}()|[\]\\]/g, "\\$&")
          .replaceAll("*", "[^/]*")
          .replaceAll("?", "[^/]")}/`,
  );
  return new RegExp(`^${parts.join("")}`, "su");
};

const problemOf = (pattern: string, segments: readonly string[]): string | undefined => {
  if (pattern.includes("\0")) return "contains a character that no file name can have";
  if (pattern.startsWith("/")) return "expected a path below the sites directory, such as default/documents/12/**";
  if (segments.some((segment) => ["", ".", ".."].includes(segment)))
    return "expected names with one / between them, and no . or ..";
  if (segments.some((segment) => segment !== "**" && segment.includes("**")))
    return "** stands for any number of directories, and is a name of its own";
  return undefined;
};

/**
 * Selects by patterns below the sites directory: `*` stands for any part of one name, `?` for one character, `**` for any
 * number of directories. All else is literal. A pattern that fits a directory selects what it contains.
 *
 * @throws {InvalidInputError} fatal: a pattern leads out of the tree, or has another form
 */
export const selectByPatterns = (patterns: readonly string[]): FileSelection => {
  const problems = patterns.flatMap((pattern) => {
    const message = problemOf(pattern, pattern.replace(/\/$/, "").split("/"));
    return message === undefined ? [] : [{ path: "files", message }];
  });
  if (problems.length > 0) throw new InvalidInputError(problems);
  const all = patterns.map((pattern) =>
    pattern
      .replace(/\/$/, "")
      .replace(/(\/\*\*)+$/, "")
      .split("/"),
  );
  const expressions = all.map((segments) => (segments.join() === "**" ? /^/ : expressionOf(segments)));
  return {
    size: patterns.length,
    matching: (path) => expressions.flatMap((expression, index) => (expression.test(`${path}/`) ? [index] : [])),
    includes: all.map((segments) => toInclude(segments.map(escaped))),
    within: all.map((segments) => {
      const open = segments.findIndex((segment) => !isPlain(segment));
      return segments.slice(0, open < 0 ? segments.length : open).join("/");
    }),
  };
};

/** Selects these files and no others. @param paths below the tree's root, without `.` and `..` */
export const selectPaths = (paths: readonly string[]): FileSelection => {
  const numbers = new Map(paths.map((path, index) => [path, index]));
  return {
    size: paths.length,
    matching: (path) => {
      const found = numbers.get(path);
      return found === undefined ? [] : [found];
    },
    includes: paths.map((path) => toInclude(path.split("/").map((name) => name.replace(/[\\*?[]/g, "\\$&")))),
    within: [...new Set(paths.map((path) => path.split("/").slice(0, -1).join("/")))],
  };
};
