import { styleText } from "node:util";

/** As much of a stream as writing needs; `process.stdout` is one. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export type Style = "bold" | "dim" | "red" | "yellow" | "green";

/** Colours for one stream: none in a file, a pipe, a dumb terminal, or when `NO_COLOR` is set (no-color.org). */
export const stylist = (
  sink: Sink,
  environment: Readonly<Record<string, string | undefined>>,
): ((style: Style, text: string) => string) => {
  const { NO_COLOR: noColour, TERM: kind } = environment;
  const colours = sink.isTTY === true && !noColour && kind !== "dumb";
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text);
};
