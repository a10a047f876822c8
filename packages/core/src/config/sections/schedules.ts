import * as field from "../fields.ts";
import { section } from "../section.ts";
import { strict } from "../strict.ts";

/** When a job starts by itself, and how late its success may be. */
const when = {
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: field.cron,
  /** Of the IANA database. */
  timeZone: field.timeZone.default("UTC"),
  /** The start may be put off by so many minutes; 0 is on time. */
  flexibleMinutes: field.flexibleMinutes.default(0),
  /** Minutes after the due time; without a success until then the job counts as overdue. */
  deadlineMinutes: field.deadlineMinutes.default(360),
};

/** Jobs that start by themselves, by their kind. */
export const schedules = section(
  strict({
    dump: strict(when).optional(),
    drill: strict(when).optional(),
    check: strict({ ...when, level: field.checkLevel.default("read-data") }).optional(),
    health: strict(when).optional(),
    report: strict(when).optional(),
    exportDatabase: strict(when).optional(),
    exportSites: strict(when).optional(),
    rotateDatabase: strict(when).optional(),
    rotateAdmin: strict(when).optional(),
    rotateMaster: strict(when).optional(),
    /** It ends after its time of soaking, which is a day. */
    rotateSmtp: strict({ ...when, deadlineMinutes: field.deadlineMinutes.default(2880) }).optional(),
    redeploy: strict(when).optional(),
  }),
  (settings) => settings,
);

/** The section without which a kind has nothing to work on. */
export const sectionOfSchedule = {
  dump: "dumps",
  drill: "dumps",
  check: "dumps",
  health: "health",
  report: "dumps",
  exportDatabase: "exports",
  exportSites: "exports",
  rotateDatabase: "rotations",
  rotateAdmin: "rotations",
  rotateMaster: "rotations",
  rotateSmtp: "rotations",
  redeploy: "rotations",
} as const;
