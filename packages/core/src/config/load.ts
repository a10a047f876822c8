import type { InputIssue } from "../errors.ts";
import type { Config } from "./settings.ts";

/** A configuration that was read from a file and found in order. */
export interface LoadedConfig extends Config {
  /** Absolute name of the file. */
  readonly path: string;
  /** What works, yet deserves a second look, with the field's path. */
  readonly warnings: readonly InputIssue[];
}
