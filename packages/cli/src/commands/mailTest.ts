import { usual } from "../commonOptions.ts";
import { optional } from "../options.ts";
import { anAddress } from "../optionValues.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { announce, type CommandContext, placeOf, sectionCommand } from "./context.ts";

/** @returns the exit status: 0 when each site's login sends, 4 when one does not */
const mailTest = async (context: CommandContext<"rotations">, { to }: { readonly to?: string }): Promise<number> => {
  const { smtp } = context.installation.rotations;
  announce(context, "Send a test message for", [
    ["from", smtp?.testMessage.from ?? "not configured"],
    ["to", to ?? smtp?.testMessage.to ?? "not configured"],
  ]);
  const { server, sites } = await context.operations.testMail(placeOf(context), { to });
  const ok = sites.every((site) => site.ok);
  context.output.result({ ok, server, sites }, (style) => {
    const rows = sites.map(({ site, ok: works, method, user, messageId, notes, error }) => [
      site,
      works ? style("green", "ok") : style("red", "fails"),
      user ?? method ?? "",
      [messageId, ...notes, error && `${error.name}: ${error.message}`].filter(Boolean).join("; "),
    ]);
    return shown`${[shown`Sent through ${server}\n`, renderTable(["site", "", "sends as", "message or remarks"], rows)]}`;
  });
  return ok ? 0 : 4;
};

export const command = sectionCommand("rotations", {
  name: "mail test",
  summary: "Send a test message with the login that OpenEMR's database contains, for each site.",
  common: usual,
  options: { to: optional("--to <address>", "recipient (default: rotations.smtp.testMessage.to)", anAddress) },
  examples: ["mail test", "mail test --to it@example.org --json"],
  run: mailTest,
});
