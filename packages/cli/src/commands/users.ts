import { stepsInWords } from "@openemr-ops/task/programs/users";
import { ofJob } from "../commonOptions.ts";
import { renderTable } from "../table.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const users = async (context: CommandContext<"users">): Promise<void> => {
  const { database } = context.installation;
  announce(context, "Database users of", [
    ["server", `${database.restore.host}:${database.restore.port}, TLS ${database.tls}`],
    ["schema", database.name],
    ["dump user", database.user],
    ["restore user", database.restore.user],
  ]);
  const result = await carryOut(context, context.operations.programs.users, jobOf(context, "users"));
  const dryRun = "dryRun" in result;
  context.output.result(result, () =>
    renderTable(
      ["for", "user", dryRun ? "would be done" : "done"],
      result.users.map((one) => [one.role, one.user, stepsInWords(one, dryRun)]),
    ),
  );
};

export const command = sectionCommand("users", {
  name: "users",
  job: "users",
  summary: "Make the database users for dumps and restores, with their rights and passwords.",
  common: ofJob,
  options: {},
  examples: ["users --dry-run", "users"],
  run: users,
});
