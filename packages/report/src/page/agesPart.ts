import { type Html, html } from "../html.ts";
import type { ReportedCredential, ReportedExport, ReportedSchedule } from "../report.ts";
import { foldedTable, table } from "./tables.ts";
import { ageDays, bytes, code, count, moment } from "./values.ts";

/** How old each credential is. */
export const credentialsPart = (credentials: readonly ReportedCredential[], what: string, id: string): Html =>
  table(
    `${id}-credentials`,
    `Credentials of ${what}, by the records of jobs`,
    [
      { heading: "job" },
      { heading: "last success (UTC)" },
      { heading: "age", look: "figure" },
      { heading: "newest job failed", look: "words" },
    ],
    credentials.map(({ noun, lastSuccessAt, ageDays: age, lastFailure }) => [
      noun,
      lastSuccessAt === undefined ? "not known" : moment(lastSuccessAt),
      ageDays(age),
      lastFailure ? html`${moment(lastFailure.at)} ${lastFailure.name}: ${lastFailure.message}` : "",
    ]),
  );

const exportLooks = { complete: "good", incomplete: "bad", running: "plain" } as const;

/** The exports at their destination, and how old they are. */
export const exportsPart = (exports: readonly ReportedExport[], what: string, id: string): Html =>
  exports.length === 0
    ? html`<p>There are no exports.</p>`
    : foldedTable(
        `${id}-exports`,
        `Exports of ${what}`,
        [
          { heading: "started at (UTC)" },
          { heading: "of" },
          { heading: "state" },
          { heading: "age", look: "figure" },
          { heading: "profile" },
          { heading: "rows", look: "figure" },
          { heading: "files", look: "figure" },
          { heading: "size", look: "figure" },
          { heading: "remarks", look: "words" },
        ],
        exports.map((one) => [
          moment(one.startedAt),
          one.kind,
          html`<strong class="${exportLooks[one.state]}">${one.state}</strong>`,
          ageDays(one.ageDays),
          one.profile ?? "",
          count(one.rows),
          count(one.files),
          bytes(one.bytes),
          one.remark ?? "",
        ]),
      );

/** When jobs are due, and which are late. */
export const schedulesPart = (schedules: readonly ReportedSchedule[], what: string, id: string): Html =>
  table(
    `${id}-schedules`,
    `Schedules of ${what}`,
    [
      { heading: "job" },
      { heading: "cron" },
      { heading: "time zone" },
      { heading: "next due (UTC)" },
      { heading: "last success (UTC)" },
      { heading: "state" },
    ],
    schedules.map(({ noun, cron, timeZone, nextDueAt, lastSuccessAt, overdueSince }) => [
      noun,
      code(cron),
      timeZone,
      nextDueAt === undefined ? "never" : moment(nextDueAt),
      lastSuccessAt === undefined ? "not known" : moment(lastSuccessAt),
      overdueSince === undefined
        ? html`<strong class="good">in time</strong>`
        : html`<strong class="bad">overdue since ${moment(overdueSince)}</strong>`,
    ]),
  );
