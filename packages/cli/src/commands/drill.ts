import { usualAndDryRun } from "../commonOptions.ts";
import { withDefault } from "../options.ts";
import { aDump } from "../optionValues.ts";
import { announce, type CommandContext, carryOut, installationCommand, jobOf, storeFacts } from "./context.ts";
import { showVerdict } from "./verdict.ts";

const drill = async (context: CommandContext, options: { readonly dump: string }): Promise<void> => {
  const { database, dumps } = context.installation;
  const server = dumps.drill.database ?? database;
  announce(context, "Drill", [
    ...storeFacts(context),
    ["dump", options.dump],
    ["scratch schema on", `${server.host}:${server.port}`],
  ]);
  const request = { ...jobOf(context, "drill"), ...options };
  showVerdict(context, "Drill", await carryOut(context, context.operations.programs.drill, request));
};

export const command = installationCommand({
  name: "drill",
  summary: "Restore a dump into a scratch schema and directory, compare all of it, then delete the scratch copy.",
  common: usualAndDryRun,
  options: { dump: withDefault("--dump <id>", "latest, or a dump's identifier", aDump, "latest") },
  examples: ["drill", "drill --dump latest --json"],
  run: drill,
});
