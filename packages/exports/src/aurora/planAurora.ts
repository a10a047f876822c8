import type { Destination } from "@openemr-ops/core/destination";
import { IntegrityError, InvalidInputError } from "@openemr-ops/core/errors";
import { connectReadOnly } from "@openemr-ops/database/connection";
import * as z from "zod";
import type { DatabaseExportContext, SkippedTable } from "../context.ts";
import { describeTables } from "../database/describeTables.ts";
import { planExport } from "../database/planExport.ts";
import type { ExportedTablePlan } from "../profiles/profile.ts";
import { readAllOf } from "../readAllOf.ts";
import { jsonOf } from "../storedJson.ts";

/** Which tables RDS is asked for. */
export interface AuroraPlan {
  readonly schema: string;
  readonly tables: readonly string[];
  readonly skipped: readonly SkippedTable[];
}

const planShape = z.object({
  schema: z.string(),
  tables: z.array(z.string()),
  skipped: z.array(z.object({ table: z.string(), reason: z.string() })),
});

const planKey = (exportId: string): string => `database/${exportId}/_plan.json`;

/** RDS copies whole tables. A table that has to leave something behind stays whole. */
const reasonToStay = ({ columns, dropped, leftOut }: ExportedTablePlan): string | undefined => {
  const [secret] = dropped;
  if (secret) return `column ${secret.name} may not leave (${secret.reason}), and engine aurora copies whole tables`;
  const changed = columns.find(({ expression, transform }) => expression !== undefined || transform !== undefined);
  if (changed)
    return `column ${changed.name} may not leave as it is (${changed.treatment}), and engine aurora copies whole tables`;
  return leftOut === undefined ? undefined : "some of its rows may not leave, and engine aurora copies whole tables";
};

/** Decides by the catalogue and the profile what RDS may copy. @throws as `planExport` does */
export const planAurora = async (
  { database, profile }: Pick<DatabaseExportContext, "database" | "profile">,
  names: readonly string[] | undefined,
): Promise<AuroraPlan> => {
  await using connection = await connectReadOnly(database);
  const { schema, tables, skipped } = planExport(await describeTables(connection), profile, names);
  const judged = tables.map(({ plan }) => ({ table: plan.table, reason: reasonToStay(plan) }));
  const leaving = judged.flatMap(({ table, reason }) => (reason === undefined ? [table] : []));
  const staying = judged.flatMap(({ table, reason }) => (reason === undefined ? [] : [{ table, reason }]));
  if (names && staying[0])
    throw new InvalidInputError([{ path: "tables", message: `${staying[0].table}: ${staying[0].reason}` }]);
  if (leaving.length === 0)
    throw new InvalidInputError([{ path: "tables", message: "no table may leave whole; expected engine direct" }]);
  return { schema, tables: leaving, skipped: [...skipped, ...staying] };
};

/**
 * Keeps the plan where the export will be: a workflow's state has no room for names of tables.
 *
 * @returns its SHA-256, for the workflow's state: others may write to where exports are kept
 */
export const storePlan = async (
  destination: Pick<Destination, "put">,
  exportId: string,
  plan: AuroraPlan,
): Promise<string> => {
  const { sha256 } = await destination.put(planKey(exportId), Buffer.from(JSON.stringify(plan)));
  return sha256;
};

/** @throws {IntegrityError} damaged: it is not the plan with this SHA-256; tables could leave that may not */
export const readPlan = async (destination: Destination, exportId: string, sha256: string): Promise<AuroraPlan> => {
  const stored = await readAllOf(destination, planKey(exportId));
  if (stored?.sha256 !== sha256)
    throw new IntegrityError(
      `${planKey(exportId)} at ${destination.url} was ${stored ? "altered" : "removed"}: find out by whom, and start the export again`,
    );
  return jsonOf(stored, destination, planKey(exportId), planShape);
};
