import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import type { SecretFinding } from "@openemr-ops/task/trySecret";
import type { CommandSurroundings } from "./defineCommand.ts";

/** Tries the secrets of notifications. Sends nothing. */
export const tryNotifications = async (
  { notifications }: LoadedConfig,
  { environment, signal, openOperations }: CommandSurroundings,
): Promise<readonly SecretFinding[]> => {
  const { checkChannels } = await openOperations();
  return checkChannels(notifications, { environment, signal });
};

/** Tries the secrets of every installation, or of the one that `--installation` names, and those of notifications. */
export const tryAllSecrets = async (
  config: LoadedConfig,
  surroundings: CommandSurroundings,
): Promise<readonly SecretFinding[]> => {
  const { common, environment, now, signal, output, openOperations } = surroundings;
  const id = common.installation;
  const installations = id === undefined ? config.installations : [selectInstallation(config, id)];
  const { checkSecrets } = await openOperations();
  const findings: SecretFinding[] = [];
  for (const installation of installations) {
    const { progress, warn } = output;
    findings.push(...(await checkSecrets({ config, installation, environment, now, signal, progress, warn })));
  }
  return [...findings, ...(await tryNotifications(config, surroundings))];
};
