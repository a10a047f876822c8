import { formatDestination } from "@openemr-ops/core/config/destinationAddress";
import type { LoadedConfig } from "@openemr-ops/core/config/load";
import type { Output } from "../output.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";

/** Says what a configuration holds once it has been found in order; reading it was the check. */
export const configCheck = ({ path, installations, warnings }: LoadedConfig, output: Output): void => {
  const summary = installations.map(({ id, platform, database, sites, dumps }) => ({
    id,
    platform: platform.kind,
    database: `${database.host}:${database.port}/${database.name}`,
    tls: database.tls,
    sites: sites.path,
    format: dumps.format,
    destination: formatDestination(dumps.destination),
  }));
  output.result(
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
