import { loadNotifications } from "@openemr-ops/core/config/load";
import { InvalidInputError } from "@openemr-ops/core/errors";
import type { Notifier } from "@openemr-ops/task/openNotifier";
import type { CommandSurroundings } from "./defineCommand.ts";
import { findConfig } from "./findConfig.ts";

/**
 * The channels of the configuration, however wrong the rest of it is.
 *
 * @throws {InvalidInputError} fatal: there is no channel, or its settings are wrong
 */
export const openNotifications = async (surroundings: CommandSurroundings): Promise<Notifier> => {
  const { common, cwd, machineConfig, environment, now, output, openOperations } = surroundings;
  const settings = await loadNotifications(common.config ?? (await findConfig(cwd, machineConfig)));
  const { openNotifier } = await openOperations();
  const notifier = openNotifier(settings, { environment, now, warn: output.warn, note: output.note });
  if (notifier.channels.length > 0) return notifier;
  const message = "names no channel; add slack, email, ping or command";
  throw new InvalidInputError([{ path: "notifications", message }]);
};
