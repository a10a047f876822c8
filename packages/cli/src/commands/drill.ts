import { announce, type CommandContext, jobOf, storeFacts } from "./context.ts";
import { showVerdict } from "./verdict.ts";

export const drill = async (context: CommandContext, options: { readonly dump: string }): Promise<void> => {
  const { database, dumps } = context.installation;
  const server = dumps.drill.database ?? database;
  announce(context, "Drill", [
    ...storeFacts(context),
    ["dump", options.dump],
    ["scratch schema on", `${server.host}:${server.port}`],
  ]);
  showVerdict(context, "Drill", await context.operations.drillDump(jobOf(context), options));
};
