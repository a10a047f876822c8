import { connect } from "@openemr-ops/database/connection";
import { assertWritable } from "@openemr-ops/database/writable";
import type { DumpContext } from "../context.ts";

/**
 * Makes sure that the user who restores may log in and write on the server for restores.
 *
 * @throws {TargetUnsuitableError} refused: the server only reads
 */
export const assertRestoreServer = async ({ restoreDatabase }: DumpContext): Promise<void> => {
  await using control = await connect(restoreDatabase, "information_schema");
  await assertWritable(control, restoreDatabase, "database.restore.host");
};
