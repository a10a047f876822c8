import { groups } from "../commands/groups.ts";
import { usual } from "../commonOptions.ts";
import type { CliCommand } from "../defineCommand.ts";
import { type CliOption, flagOf } from "../options.ts";

/** What can follow an option, or be an argument: words that are known, or what the shell or the program looks up. */
export type Values = "files" | "directories" | "installations" | "unknown" | readonly string[];

export interface CompletableOption {
  readonly flag: string;
  readonly description: string;
  /** Not set: a flag, which has no value. */
  readonly values?: Values;
}

/** One place of the tree of commands, with all that can be typed there. */
export interface CompletableCommand {
  /** The words that lead here, with spaces between; empty for the program itself. */
  readonly name: string;
  readonly summary: string;
  readonly below: readonly { readonly word: string; readonly summary: string }[];
  readonly options: readonly CompletableOption[];
  /** Values of its argument; not set, it has none. */
  readonly argument?: Values;
}

const help: CompletableOption = { flag: "--help", description: "show help" };

/** `<file>` and `<directory>` of an option's flags say what its value is. */
const valuesOf = (option: CliOption<unknown>): Values => {
  if (option.read?.choices) return option.read.choices;
  if (option.flags.includes("<file>")) return "files";
  if (option.flags.includes("<directory>")) return "directories";
  return flagOf(option) === "--installation" ? "installations" : "unknown";
};

const isArgument = ({ flags }: CliOption<unknown>): boolean => !flags.startsWith("-");

const optionOf = (option: CliOption<unknown>): CompletableOption => ({
  flag: flagOf(option),
  description: option.description,
  ...(option.read ? { values: valuesOf(option) } : {}),
});

const below = (name: string, all: readonly CliCommand[]): CompletableCommand["below"] => {
  const words = all.flatMap((command) => {
    if (!command.name.startsWith(name === "" ? "" : `${name} `)) return [];
    const [word = ""] = command.name.slice(name.length).trim().split(" ");
    const path = name === "" ? word : `${name} ${word}`;
    return [[word, all.find((one) => one.name === path)?.summary ?? groups[path] ?? ""] as const];
  });
  return [...new Map(words)].map(([word, summary]) => ({ word, summary }));
};

/** The tree of commands as shells complete it: the program, its groups, and every command. */
export const completableCommands = (commands: readonly CliCommand[]): readonly CompletableCommand[] => {
  const top = below("", commands);
  const program: CompletableCommand = {
    name: "",
    summary: "",
    below: [...top, { word: "help", summary: "Show help for a command." }],
    options: [help, { flag: "--version", description: "the version of this program" }],
  };
  const helped: CompletableCommand = { name: "help", summary: "", below: top, options: [] };
  const grouped = Object.entries(groups).map(([name, summary]) => ({
    name,
    summary,
    below: below(name, commands),
    options: [help],
  }));
  const typed = commands.map((command): CompletableCommand => {
    const options = [...Object.values(command.common ?? usual), ...Object.values(command.options)];
    const argument = options.find(isArgument);
    return {
      name: command.name,
      summary: command.summary,
      below: below(command.name, commands),
      options: [...options.filter((option) => !isArgument(option)).map(optionOf), help],
      ...(argument ? { argument: valuesOf(argument) } : {}),
    };
  });
  return [program, helped, ...grouped, ...typed];
};
