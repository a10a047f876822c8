import { InvalidInputError, type OpsError, UnexpectedError } from "@openemr-ops/core/errors";
import { formatFigure } from "@openemr-ops/core/format";
import type { ReportProgress } from "@openemr-ops/core/progress";
import { visibleJson } from "@openemr-ops/core/visible";
import { type Every, showProgress, stamp } from "./progress.ts";
import { nothing, type Shown, shown } from "./shown.ts";
import { renderFacts } from "./table.ts";
import { type Sink, type Stylist, stylist } from "./terminal.ts";

/** Where a command writes. With `--json`, texts for people go to standard error and only the result to standard output. */
export interface Output {
  /** What the command is going to do, on standard error. */
  plan(title: string, facts: readonly (readonly [label: string, value: string])[]): void;
  readonly progress: ReportProgress;
  /** A warning, on standard error. */
  warn(message: string): void;
  /** A line of another program's output, on standard error. */
  note(line: string): void;
  /** The result of a command: `value` for programs, `words` for people; one of them on standard output. */
  result(value: unknown, words: (style: Stylist) => Shown): void;
  /** A result of any length, item by item: a JSON array, or what `words` makes of each. */
  list<Item>(words: (item: Item) => Shown): ItemList<Item>;
  /** The error of a command that failed. */
  failure(error: OpsError): void;
  /** Keeps the terminal free for a question. */
  aside<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** Ends the display of progress. Safe to repeat. */
  end(): void;
}

export interface ItemList<Item> {
  /** Waits for a reader that is slow. @returns false: it closed the pipe, and reads no more */
  add(item: Item): Promise<boolean>;
  /** All are written. Without it, a reader of JSON finds no end. */
  end(): void;
}

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly now: () => Date;
  /** What ticks while nothing is reported; for tests. */
  readonly every?: Every;
}

/** Where a defect of this program is: the stack frames of the original error. Its message is left out, it may quote data. */
const framesOf = (error: OpsError): Shown => {
  const { cause } = error;
  if (!(error instanceof UnexpectedError && cause instanceof Error)) return nothing;
  const frames = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return shown`${frames.slice(0, 8).map((frame) => shown`${frame}\n`)}`;
};

export const createOutput = ({ stdout, stderr, environment, json, now, every }: OutputOptions): Output => {
  const onStderr = stylist(stderr, environment);
  const onStdout = stylist(stdout, environment);
  const display = showProgress(stderr, now, every);
  const write = (text: string) => {
    display.clear();
    stderr.write(text);
  };
  /** In a log, with the time first. */
  const say = ({ text }: Shown) => write(stderr.isTTY ? text : `${stamp(now())}${text}`);
  const writeJson = (value: unknown) => stdout.write(`${visibleJson(value, stdout.isTTY ? 2 : 0)}\n`);
  return {
    plan: (title, facts) => say(shown`${onStderr("bold", title)}\n${renderFacts(facts)}`),
    progress: display.report,
    warn: (message) => say(shown`${onStderr("yellow", "warning:")} ${message}\n`),
    note: (line) => say(shown`${onStderr("dim", line)}\n`),
    result: (value, words) => {
      display.clear();
      if (json) writeJson(value);
      else stdout.write(words(onStdout).text);
    },
    list: (words) => {
      let count = 0;
      return {
        add: async (item) => {
          display.clear();
          const text = json ? `${count === 0 ? "[" : ","}\n${visibleJson(item)}` : words(item).text;
          count++;
          if (stdout.write(text) === false) await stdout.drained?.();
          return stdout.destroyed !== true;
        },
        end: () => {
          if (json) stdout.write(count === 0 ? "[]\n" : "\n]\n");
        },
      };
    },
    failure: (error) => {
      const { name, message } = error;
      const issues = error instanceof InvalidInputError ? error.issues : undefined;
      if (json) writeJson({ error: { name, message, ...(issues ? { issues } : {}) } });
      const lines = issues?.map((issue) => shown`  ${issue.path ? `${issue.path}: ` : ""}${issue.message}\n`);
      const what = lines && lines.length > 0 ? shown`nothing was changed\n${lines}` : shown`${message}\n`;
      say(shown`${onStderr("red", "error")} ${onStderr("bold", name)}: ${what}`);
      write(framesOf(error).text);
    },
    aside: display.aside,
    end: display.end,
  };
};

/** One figure on each line. */
export const renderFigures = (figures: Readonly<Record<string, number>>): Shown =>
  renderFacts(Object.entries(figures).map(([name, value]) => formatFigure(name, value)));

/** One warning on each line. */
export const renderWarnings = (warnings: readonly { readonly message: string }[], style: Stylist): Shown =>
  shown`${warnings.map(({ message }) => shown`${style("yellow", "warning:")} ${message}\n`)}`;
