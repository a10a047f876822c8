import { type LoadedConfig, loadConfig } from "@openemr-ops/core/config/load";
import type { CommandSurroundings } from "./defineCommand.ts";
import { findConfig } from "./findConfig.ts";

/**
 * Reads the configuration that the command line names, else the one in the working directory or the machine's, and prints its warnings.
 * Without an environment, variables that it names need not be set.
 *
 * @throws {InvalidInputError} fatal
 */
export const readConfig = async ({
  cwd,
  machineConfig,
  environment,
  common: { config, installation },
  output,
}: Pick<CommandSurroundings, "cwd" | "machineConfig" | "common" | "output"> &
  Partial<Pick<CommandSurroundings, "environment">>): Promise<LoadedConfig> => {
  const path = config ?? (await findConfig(cwd, machineConfig));
  const loaded = await loadConfig(path, {
    ...(environment ? { environment } : {}),
    ...(installation === undefined ? {} : { installation }),
  });
  for (const warning of loaded.warnings) output.warn(`${warning.path} ${warning.message}`);
  return loaded;
};
