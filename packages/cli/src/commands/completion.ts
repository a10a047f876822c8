import { usual } from "../commonOptions.ts";
import { bashCompletion } from "../completion/bash.ts";
import { completableCommands } from "../completion/completable.ts";
import { zshCompletion } from "../completion/zsh.ts";
import { type CliCommand, type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { argument } from "../options.ts";
import { aChoice } from "../optionValues.ts";
import { readConfig } from "../readConfig.ts";
import { nothing, Shown, shown } from "../shown.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion } as const;

/** What the scripts ask for at `--installation`. Variables that hold passwords need not be set for it. */
const listInstallations = async ({ environment: _, ...rest }: CommandSurroundings): Promise<void> => {
  const ids = (await readConfig(rest)).installations.map(({ id }) => id);
  rest.output.result(ids, () => (ids.length === 0 ? nothing : shown`${ids.map((id) => shown`${id}\n`)}`));
};

/** @param commands all commands, this one among them; called when it runs */
export const completionOf = (commands: () => readonly CliCommand[]): CliCommand =>
  defineCommand({
    name: "completion",
    summary: "Print a script that completes this program's commands and options in a shell.",
    common: { ...(usual.config ? { config: usual.config } : {}) },
    options: {
      of: argument(
        "of",
        "bash or zsh; installations lists their identifiers, which the scripts ask for",
        aChoice(["bash", "zsh", "installations"]),
      ),
    },
    examples: ["completion bash", "completion zsh"],
    run: async (surroundings, { of }) => {
      if (of === "installations") return listInstallations(surroundings);
      const script = scripts[of](completableCommands(commands()));
      surroundings.output.result({ script }, () => new Shown(script));
    },
  });
