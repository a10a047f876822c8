import { formatDuration } from "@openemr-ops/core/format";
import { ofJob } from "../commonOptions.ts";
import { shown } from "../shown.ts";
import { renderFacts, renderTable } from "../table.ts";
import { announce, type CommandContext, carryOut, jobOf, sectionCommand } from "./context.ts";

const list = (names: readonly string[]): string => (names.length > 0 ? names.join(", ") : "none");

const rotateDatabase = async (context: CommandContext<"rotations">): Promise<void> => {
  const { database, sites } = context.installation;
  announce(context, "Rotate the database user of", [
    ["server", `${database.restore.host}:${database.restore.port}, TLS ${database.tls}`],
    ["sites", sites.path],
  ]);
  const job = { ...jobOf(context, "rotateDatabase"), phase: "all" as const };
  const result = await carryOut(context, context.operations.programs.rotateDatabase, job);
  if ("dryRun" in result)
    return context.output.result(result, () =>
      renderFacts([
        ["would be live", `slot ${result.activeSlot}, user ${result.user}`],
        ["in place of", list(result.replaces)],
        ["sites", list(result.sites)],
        ["left alone", list(result.others)],
        ["then", `would ${result.redeploy}`],
        ["would be retired", result.retires],
        ["continues a run that was stopped", result.continues ? "yes" : "no"],
      ]),
    );
  const { activeSlot, user, sites: switched = [], proven = [], retired = null, seconds } = result;
  context.output.result({ activeSlot, user, sites: switched, proven, retired, seconds }, (style) => {
    const title = shown`OpenEMR logs in as ${style("bold", user)} (slot ${activeSlot}), ${style("green", "proven")} after ${formatDuration(seconds)}\n`;
    const rows = switched.map((site) => [
      site,
      user,
      proven.includes(site) ? "logged in, read and wrote" : "not proven",
    ]);
    const facts = renderFacts([["retired", retired ?? "nobody: there was nothing left to do"]]);
    return shown`${[title, renderTable(["site", "user", "proof"], rows), facts]}`;
  });
};

export const command = sectionCommand("rotations", {
  name: "rotate database",
  job: "rotateDatabase",
  summary: "Give OpenEMR another database user with a new password, and retire the one before.",
  common: ofJob,
  options: {},
  examples: ["rotate database --dry-run", "rotate database"],
  run: rotateDatabase,
});
