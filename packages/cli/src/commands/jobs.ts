import { formatDuration, formatMoment } from "@openemr-ops/core/format";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { withDefault } from "../options.ts";
import { aLimit } from "../optionValues.ts";
import { shown } from "../shown.ts";
import { renderTable } from "../table.ts";
import { type ControlContext, stageCommand } from "./controlContext.ts";
import { jobSeconds, styledStatus } from "./jobResult.ts";

/** The installation that is named, or all that the configuration lists. */
export const installationsMeant = async ({ common, readConfig }: ControlContext): Promise<readonly string[]> =>
  common.installation === undefined ? (await readConfig()).installations.map(({ id }) => id) : [common.installation];

const remarksOn = ({ error, result, steps = [], endedAt }: JobRecord): string => {
  if (error) return `${error.name}: ${error.message}`;
  return endedAt === undefined ? (steps.at(-1)?.name ?? "") : (result?.dumpId ?? "");
};

/** Long messages make tables unreadable; `watch` shows them whole. */
const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

const jobs = async (context: ControlContext, { limit }: { readonly limit: number }): Promise<void> => {
  const ids = await installationsMeant(context);
  const lists = await Promise.all(ids.map((id) => context.ledger.list(id, limit)));
  // A list does not know how a job goes that has not ended; its record does.
  const looked = lists
    .flat()
    .map(async (record) => (record.endedAt === undefined ? context.ledger.get(record) : record));
  const records = (await Promise.all(looked))
    .filter((record) => record !== undefined)
    .sort((one, other) => (one.requestedAt < other.requestedAt ? 1 : -1));
  context.output.result(records, (style) => {
    if (records.length === 0) return shown`Stage ${context.stage} has run no job of ${ids.join(", ")} yet.\n`;
    const rows = records.map((record) => {
      const seconds = jobSeconds(record);
      return [
        record.jobId,
        record.installation,
        record.dryRun ? `${record.kind} (dry run)` : record.kind,
        styledStatus(record, style),
        formatMoment(record.requestedAt),
        seconds === undefined ? "" : formatDuration(seconds),
        shorten(remarksOn(record)),
      ];
    });
    return renderTable(["job", "installation", "kind", "status", "requested at", ">took", "remarks"], rows);
  });
};

export const command = stageCommand({
  name: "jobs",
  summary: "List the jobs that the control plane ran, newest first.",
  options: { limit: withDefault("--limit <count>", "how many jobs of each installation", aLimit, 20) },
  examples: ["jobs", "jobs --installation clinic-a --limit 100 --json"],
  run: jobs,
});
