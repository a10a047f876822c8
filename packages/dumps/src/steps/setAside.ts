import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "@openemr-ops/core/systemErrors";
import { connect, type DatabaseConnection } from "@openemr-ops/database/connection";
import { quoteName } from "@openemr-ops/database/identifiers";
import type { Directory } from "@openemr-ops/files/directory";
import type { DumpContext } from "../context.ts";

/** Where what was live before is kept. Not set: there was nothing. */
export interface SetAside {
  readonly schema: string | undefined;
  readonly directory: string | undefined;
}

/** Removes the schema and the directory for what was live before where nothing came into them. Safe to repeat. */
export const whatIsSetAside = async (
  context: DumpContext,
  sites: Directory,
  before: { readonly schema: string; readonly directory: string },
): Promise<SetAside> => {
  await using control = await connect(context.restoreDatabase, "information_schema");
  const kept = await isInUse(control, before.schema);
  if (!kept) await control.run(`DROP DATABASE IF EXISTS ${quoteName(before.schema)}`);
  const removed = await rmdir(`${sites.at}/${before.directory}`).then(
    () => true,
    (error: unknown) => systemCodeOf(error) === "ENOENT",
  );
  return {
    schema: kept ? before.schema : undefined,
    directory: removed ? undefined : join(context.sitesPath, before.directory),
  };
};

const isInUse = async (control: DatabaseConnection, schema: string): Promise<boolean> => {
  const [row] = await control.rows(
    `SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?)
          + (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?) AS n`,
    [schema, schema],
  );
  return row?.n !== "0";
};

/** What a person does after a restore in place. `safetyDumpId`: not set where there was nothing to save. */
export const nextSteps = (
  context: DumpContext,
  { schema, directory }: SetAside,
  safetyDumpId: string | undefined,
): readonly string[] => {
  const places = [...(schema ? [`schema ${schema}`] : []), ...(directory ? [`directory ${directory}`] : [])];
  if (places.length === 0)
    return [
      `start OpenEMR and log in; nothing was there before, so schema ${context.database.name} and directory ${context.sitesPath} are new`,
    ];
  const removal = [...(schema ? [`DROP DATABASE ${schema}`] : []), ...(directory ? [`remove ${directory}`] : [])];
  return [
    `start OpenEMR and log in; what was live before is set aside in ${places.join(" and ")}`,
    `when nobody needs it any more: ${removal.join(", and ")}`,
    ...(safetyDumpId ? [`to go back: restore dump ${safetyDumpId} in place`] : []),
  ];
};
