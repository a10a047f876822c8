import type { DatabaseConnection } from "../connection.ts";
import { effectiveGrants, rightsOn } from "../grants.ts";

/** How many sessions a user has on the server; `undefined` when our own user may not look. */
export const sessionsOf = async (admin: DatabaseConnection, user: string): Promise<number | undefined> => {
  const rights = rightsOn(await effectiveGrants(admin), "");
  if (!rights.has("PROCESS") && !rights.has("ALL PRIVILEGES")) return undefined;
  const rows = await admin.rows("SELECT COUNT(*) AS sessions FROM information_schema.PROCESSLIST WHERE USER = ?", [
    user,
  ]);
  return Number(rows[0]?.sessions ?? 0);
};
