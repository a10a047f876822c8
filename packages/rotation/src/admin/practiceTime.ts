import { wallTimeAt } from "@openemr-ops/core/wallClock";
import type { DatabaseConnection } from "@openemr-ops/database/connection";
import type { Settings } from "@openemr-ops/openemr/settings";

/**
 * A moment as OpenEMR writes it, `2026-03-04 05:06:07`: in the zone of its setting, or else in the server's.
 *
 * @param database its session is in UTC
 */
export const practiceTime = async (database: DatabaseConnection, settings: Settings, now: Date): Promise<string> => {
  const zone = settings.get("gbl_time_zone") ?? "";
  const wall = (zone && wallTimeIn(zone, now)) || now.getTime() + (await serverOffset(database));
  return new Date(wall).toISOString().slice(0, 19).replace("T", " ");
};

const wallTimeIn = (zone: string, now: Date): number | undefined => {
  try {
    return wallTimeAt(now.getTime(), zone);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // no such zone
    throw error;
  }
};

const serverOffset = async (database: DatabaseConnection): Promise<number> => {
  const [row] = await database.rows(
    "SELECT TIMESTAMPDIFF(SECOND, at, CONVERT_TZ(at, '+00:00', @@GLOBAL.time_zone)) AS seconds FROM (SELECT UTC_TIMESTAMP() AS at) moment",
  );
  return Number(row?.seconds ?? 0) * 1000;
};
