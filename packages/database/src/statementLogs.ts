import type { DatabaseConnection } from "./connection.ts";

const logs: Readonly<Record<string, string>> = { general_log: "general log", server_audit_logging: "audit log" };

/** Logs in which the server writes each statement, with the rows that a load or a restore sends it; as people call them. */
export const statementLogs = async (connection: DatabaseConnection): Promise<readonly string[]> => {
  const names = Object.keys(logs).map((name) => `'${name}'`);
  const found = await connection.rows(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.join(",")})`);
  return found.flatMap(({ Variable_name: name, Value: value }) => {
    const log = logs[(name ?? "").toLowerCase()];
    return log !== undefined && /^(?:ON|1)$/i.test(value ?? "") ? [log] : [];
  });
};
