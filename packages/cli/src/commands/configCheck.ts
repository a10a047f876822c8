import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import { type CommandSurroundings, defineCommand } from "../defineCommand.ts";
import { readConfig } from "../readConfig.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";

/** Shows what a valid configuration holds. Reading it is the check. */
const configCheck = async (surroundings: CommandSurroundings): Promise<void> => {
  const { path, installations, warnings } = await readConfig(surroundings);
  const summary = installations.map(({ id, platform, database, sites, dumps }) => ({
    id,
    platform: platform.kind,
    database: `${database.host}:${database.port}/${database.name}`,
    tls: database.tls,
    sites: sites.path,
    format: dumps?.format ?? "",
    destination: dumps ? formatDestination(dumps.destination) : "no dumps",
  }));
  surroundings.output.result(
    { valid: true, path, installations: summary, warnings },
    (style) =>
      shown`${[
        style("green", `${path} is in order.`),
        shown`\n`,
        renderTable(
          ["installation", "platform", "database", "TLS", "sites", "format", "destination"],
          summary.map((one) => Object.values(one)),
        ),
      ]}`,
  );
};

export const command = defineCommand({
  name: "config check",
  summary: "Check the configuration and all files that it names; touch nothing.",
  options: {},
  examples: ["config check --config /etc/openemr-ops.config.json"],
  run: configCheck,
});
