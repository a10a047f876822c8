import { wallTimeAt } from "@openemr-ops/core/wallClock";
import type { Settings } from "./settings.ts";
import type { SqlReader } from "./sqlReader.ts";

/** The setting with the zone in which OpenEMR writes its times. */
export const timeSettings = ["gbl_time_zone"] as const;

/**
 * A moment as OpenEMR writes it, `2026-03-04 05:06:07`: in the zone of its setting, or else in the server's.
 *
 * @param database its session is in UTC
 */
export const practiceTime = async (database: SqlReader, settings: Settings, now: Date): Promise<string> =>
  shown((await practiceClock(database, settings))(now.getTime()));

/** The time at which clocks are set back is no longer than this away from the hour that they show twice. Milliseconds. */
const nearlySetBack = 3 * 3_600_000;

/**
 * The earliest time that OpenEMR writes at a moment or later: that of the moment itself, or an hour less where the clocks are
 * about to be set back. Nothing that is written from then on has an earlier time.
 *
 * @param database its session is in UTC
 */
export const practiceTimeSince = async (database: SqlReader, settings: Settings, moment: Date): Promise<string> => {
  const clock = await practiceClock(database, settings);
  const at = moment.getTime();
  return shown(Math.min(clock(at), clock(at + nearlySetBack) - nearlySetBack));
};

const shown = (wall: number): string => new Date(wall).toISOString().slice(0, 19).replace("T", " ");

const practiceClock = async (database: SqlReader, settings: Settings): Promise<(moment: number) => number> => {
  const zone = settings.get("gbl_time_zone") ?? "";
  if (zone && isZone(zone)) return (moment) => wallTimeAt(moment, zone);
  const offset = await serverOffset(database);
  return (moment) => moment + offset;
};

const isZone = (zone: string): boolean => {
  try {
    wallTimeAt(0, zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const serverOffset = async (database: SqlReader): Promise<number> => {
  const [row] = await database.rows(
    "SELECT TIMESTAMPDIFF(SECOND, at, CONVERT_TZ(at, '+00:00', @@GLOBAL.time_zone)) AS seconds FROM (SELECT UTC_TIMESTAMP() AS at) moment",
  );
  return Number(row?.seconds ?? 0) * 1000;
};
