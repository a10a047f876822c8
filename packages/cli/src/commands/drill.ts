import { ofJob } from "../commonOptions.ts";
import { type CopyOption, copyOption } from "../copyOption.ts";
import { withDefault } from "../options.ts";
import { aDump } from "../optionValues.ts";
import {
  announce,
  type CommandContext,
  carryOut,
  type Fact,
  installationCommand,
  jobOf,
  storeFacts,
} from "./context.ts";
import { showVerdict } from "./verdict.ts";

const drill = async (context: CommandContext, options: CopyOption & { readonly dump: string }): Promise<void> => {
  const { database, dumps } = context.installation;
  const server = dumps.drill.database ?? database;
  const where: Fact =
    server === "own"
      ? ["database server", "its own, started for this drill"]
      : ["scratch schema on", `${server.host}:${server.port}`];
  announce(context, "Drill", [...storeFacts(context, options.copy), ["dump", options.dump], where]);
  const request = { ...jobOf(context, "drill"), ...options };
  showVerdict(context, "Drill", await carryOut(context, context.operations.programs.drill, request));
};

export const command = installationCommand({
  name: "drill",
  job: "drill",
  summary:
    "Restore a dump into a scratch schema, or on a database server of its own, and a directory, compare all of it, then delete the copy.",
  common: ofJob,
  options: { ...copyOption, dump: withDefault("--dump <id>", "latest, or a dump's identifier", aDump, "latest") },
  examples: ["drill", "drill --dump latest --json", "drill --copy 1"],
  run: drill,
});
