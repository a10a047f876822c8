import type { ReadValue } from "./optionValues.ts";

/** One option or argument of a command: what its help says, and how its value is read. */
export interface CliOption<Value> {
  /** As it is typed: `--dry-run`, `--dump <id>`; an argument has no hyphen: `<job>`. */
  readonly flags: string;
  readonly description: string;
  /** Not set: a flag, which has no value. */
  readonly read?: ReadValue<Value>;
  /** The value when the option is left out. */
  readonly fallback?: Value;
  /** Set when the option must be given: the error when it is not. */
  readonly missing?: string;
}

/** Options by the names under which a command gets their values. */
export type CliOptions = Readonly<Record<string, CliOption<unknown>>>;

type ValueOf<Option> = Option extends CliOption<infer Value> ? Value : never;
type OptionalIn<Options> = {
  [Name in keyof Options]: undefined extends ValueOf<Options[Name]> ? Name : never;
}[keyof Options];

/** The values that a person gave to these options; one that was left out and has no default is absent. */
export type Asked<Options> = {
  readonly [Name in Exclude<keyof Options, OptionalIn<Options>>]: ValueOf<Options[Name]>;
} & { readonly [Name in OptionalIn<Options>]?: Exclude<ValueOf<Options[Name]>, undefined> };

export const flag = (flags: string, description: string): CliOption<boolean> => ({
  flags,
  description,
  fallback: false,
});

export const optional = <Value>(
  flags: string,
  description: string,
  read: ReadValue<Value>,
): CliOption<Value | undefined> => ({ flags, description, read });

export const withDefault = <Value>(
  flags: string,
  description: string,
  read: ReadValue<Value>,
  fallback: Value,
): CliOption<Value> => ({ flags, description: `${description} (default: ${fallback})`, read, fallback });

export const required = <Value>(
  flags: string,
  description: string,
  read: ReadValue<Value>,
  missing: string,
): CliOption<Value> => ({ flags, description, read, missing });

/** An argument by its position; it must be given. */
export const argument = <Value>(name: string, description: string, read: ReadValue<Value>): CliOption<Value> => ({
  flags: `<${name}>`,
  description,
  read,
});

/** `--into-sites` of `--into-sites <directory>`. */
export const flagOf = ({ flags }: CliOption<unknown>): string => flags.replace(/ .*$/, "");
