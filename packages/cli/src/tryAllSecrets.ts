import type { LoadedConfig } from "@openemr-ops/core/config/load";
import { selectInstallation } from "@openemr-ops/core/config/select";
import { checkSlack } from "@openemr-ops/notifications/checkSlack";
import { httpTransport } from "@openemr-ops/notifications/httpRequest";
import { openSecrets } from "@openemr-ops/task/openSecrets";
import { type SecretFinding, trySecret } from "@openemr-ops/task/trySecret";
import type { CommandSurroundings } from "./defineCommand.ts";

/** Seconds for Slack, retries included. */
const slackSeconds = 20;

const trySlack = async (
  { notifications: { slack } }: LoadedConfig,
  { environment }: CommandSurroundings,
): Promise<readonly SecretFinding[]> => {
  if (!slack) return [];
  const reference = slack.kind === "webhook" ? slack.webhook : slack.botToken;
  const { OPENEMR_OPS_SLACK_API: api } = environment;
  const finding = await trySecret(reference, slack.kind === "webhook" ? "Slack's webhook" : "Slack", async () => {
    const secret = await openSecrets(environment)(reference);
    const bot = { kind: "bot", token: secret, ...(api ? { api } : {}) } as const;
    return checkSlack(
      slack.kind === "webhook" ? { kind: "webhook", url: secret } : { ...bot, channel: slack.channel },
      httpTransport(slackSeconds),
    );
  });
  return [finding];
};

/** Tries the secrets of notifications. Sends nothing. */
export const tryNotifications = async (
  config: LoadedConfig,
  surroundings: CommandSurroundings,
): Promise<readonly SecretFinding[]> => {
  const { checkChannels } = await surroundings.openOperations();
  const channels = await checkChannels(config.notifications, { environment: surroundings.environment });
  return [...(await trySlack(config, surroundings)), ...channels];
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
