import { toOpsError } from "@openemr-ops/core/errors";
import type { Channel } from "@openemr-ops/notifications/channel";
import { usualForAll } from "../commonOptions.ts";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { openNotifications } from "../openNotifications.ts";
import { renderTable } from "../table.ts";

const tryChannel = async ({ field, test }: Channel) => {
  try {
    return { channel: field, ok: true, note: (await test()) ?? "" };
  } catch (failure) {
    const { name, message } = toOpsError(failure);
    return { channel: field, ok: false, note: `${name}: ${message}` };
  }
};

/** @returns the exit status: 0 when every channel accepted its test, 4 when one did not */
const notifyTest = async (surroundings: CommandSurroundings): Promise<number> => {
  const { channels } = await openNotifications(surroundings);
  const tried = await Promise.all(channels.map(tryChannel));
  const ok = tried.every((one) => one.ok);
  surroundings.output.result({ ok, channels: tried }, (style) =>
    renderTable(
      ["", "channel", "remarks"],
      tried.map((one) => [one.ok ? style("green", "ok") : style("red", "fails"), one.channel, one.note]),
    ),
  );
  return ok ? 0 : 4;
};

export const command = defineCommand({
  name: "notify test",
  summary: "Send a test through every channel of the configuration, and show which ones work.",
  common: usualForAll,
  options: {},
  examples: ["notify test", "notify test --json"],
  run: notifyTest,
});
