import { styleText } from "node:util";
import { visible } from "@openemr-ops/core/visible";
import { Shown } from "./shown.ts";

/** As much of a stream as writing needs; `process.stdout` is one. */
export interface Sink {
  /** @returns false: it holds back what its reader has not taken */
  write(text: string): unknown;
  /** Settles when the reader has taken all, or is gone. */
  drained?(): Promise<void>;
  /** The reader is gone. */
  readonly destroyed?: boolean | undefined;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Styles a text of any origin. */
export type Stylist = (style: Style, text: string) => Shown;

export type Style = "bold" | "dim" | "red" | "yellow" | "green";

/** Colours for one stream: none in a file, a pipe, a dumb terminal, or when `NO_COLOR` is set (no-color.org). */
export const stylist = (sink: Sink, environment: Readonly<Record<string, string | undefined>>): Stylist => {
  const { NO_COLOR: noColour, TERM: kind } = environment;
  const colours = sink.isTTY === true && !noColour && kind !== "dumb";
  return (style, text) =>
    new Shown(colours ? styleText(style, visible(text), { validateStream: false }) : visible(text));
};
