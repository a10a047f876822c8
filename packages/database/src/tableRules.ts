import { TargetUnsuitableError } from "@openemr-ops/core/errors";
import type { DatabaseConnection } from "./connection.ts";
import type { LoadableDump } from "./loadableDump.ts";

/** Rules of a session on MySQL that a dump's tables would break: each table comes as it was. */
const sessionRules = ["sql_require_primary_key", "sql_generate_invisible_primary_key"];

/**
 * Puts rules about tables out of force for this session, and refuses a server whose rules cannot be put aside.
 *
 * @returns what it set: another session that alters these tables needs it too
 * @throws {TargetUnsuitableError} refused: names the table, the rule, and what to set
 */
export const followTableRules = async (
  control: DatabaseConnection,
  { database: { tables } }: Pick<LoadableDump, "database">,
): Promise<readonly string[]> => {
  const settings = await control.rows(
    "SHOW VARIABLES WHERE Variable_name IN ('sql_require_primary_key', 'sql_generate_invisible_primary_key', 'innodb_force_primary_key', 'lower_case_table_names')",
  );
  const valueIn = (name: string) => settings.find((row) => row.Variable_name === name)?.Value;

  const folded = (name: string) => name.toLowerCase();
  if (Number(valueIn("lower_case_table_names") ?? 0) === 1) {
    const changed = tables.find(({ name }) => name !== folded(name));
    if (changed)
      throw new TargetUnsuitableError(
        `table ${changed.name} would get another name: this server keeps names of tables in lower case. Restore to a server with lower_case_table_names = 0`,
      );
  }

  const session: string[] = [];
  const lenient = "SET SESSION innodb_strict_mode = 0"; // old row formats may be wider than today's rules
  await control.run(lenient).then(
    () => session.push(lenient),
    () => {}, // MySQL lets not everybody; most tables need it not
  );
  const keyless = tables.find(({ keyed }) => !keyed);
  if (!keyless) return session;
  for (const rule of sessionRules) {
    if (valueIn(rule) !== "ON") continue;
    session.push(`SET SESSION ${rule} = OFF`);
    await control.run(`SET SESSION ${rule} = OFF`).catch((error: unknown) => {
      throw new TargetUnsuitableError(
        `table ${keyless.name} has no primary key, and ${rule} is on: as an administrator, for the time of the restore, run SET GLOBAL ${rule} = OFF, or give our user the right SESSION_VARIABLES_ADMIN; on Aurora and RDS set it in the parameter group`,
        { cause: error },
      );
    });
  }
  if (valueIn("innodb_force_primary_key") === "ON")
    throw new TargetUnsuitableError(
      `table ${keyless.name} has no primary key, and innodb_force_primary_key is on: as an administrator, for the time of the restore, run SET GLOBAL innodb_force_primary_key = OFF`,
    );
  return session;
};
