import { practiceTimeSince, timeSettings } from "@openemr-ops/openemr/practiceTime";
import { readSettings } from "@openemr-ops/openemr/settings";
import { baseTable, columnsOf, type SqlReader } from "@openemr-ops/openemr/sqlReader";
import type { MailQueue } from "./mailSettings.ts";

/**
 * Counts what OpenEMR's queue of messages did since a moment. A release without the queue, or without its columns of errors, has
 * none of them. OpenEMR tries a message that failed again and again, and each time writes when.
 *
 * @param database its session is in UTC
 */
export const countMailQueue = async (database: SqlReader, moment: Date): Promise<MailQueue> => {
  const columns = await columnsOf(database, "email_queue");
  if (!columns.has("sent")) return { sent: 0, failed: 0, waiting: 0 };
  const since = await practiceTimeSince(database, await readSettings(database, timeSettings), moment);
  const counted = (needs: readonly string[], condition: string) =>
    needs.every((name) => columns.has(name)) ? `COALESCE(SUM(${condition}), 0)` : "0";
  const isSent = "COALESCE(sent, 0) <> 0";
  const hasFailed = columns.has("error") ? "COALESCE(error, 0) <> 0" : "FALSE";
  const at = `'${since}'`;
  const [row] = await database.rows(
    `SELECT ${counted(["datetime_sent"], `${isSent} AND COALESCE(datetime_sent >= ${at}, FALSE)`)} AS sent,
      ${counted(["error", "datetime_error"], `NOT (${isSent}) AND ${hasFailed} AND COALESCE(datetime_error >= ${at}, FALSE)`)} AS failed,
      ${counted([], `NOT (${isSent}) AND NOT (${hasFailed})`)} AS waiting
      FROM ${baseTable("email_queue")}`,
  );
  return { sent: Number(row?.sent), failed: Number(row?.failed), waiting: Number(row?.waiting) };
};
