import { type Html, html } from "../html.ts";
import type { ReportedStore } from "../report.ts";
import { foldedTable, unreadNotice } from "./tables.ts";
import { code, counted, moment } from "./values.ts";

const policyWords = (policy: ReportedStore["policy"]): string =>
  Object.entries(policy)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");

const columns = [
  { heading: "taken at (UTC)" },
  { heading: "dump" },
  { heading: "next run" },
  { heading: "because", look: "words" as const },
  { heading: "deleted about (UTC)" },
];

/** What retention would do, dump by dump. */
export const retentionPart = ({ policy, retention, unread }: ReportedStore, what: string, id: string): Html => {
  if (unread) return html``;
  if ("unread" in retention) return unreadNotice(`Retention of ${what}`, retention.unread);
  const goes = retention.value.filter(({ action }) => action === "delete").length;
  const rows = retention.value.map(({ takenAt, dumpId, action, reasons, expectedAt }) => [
    moment(takenAt),
    code(dumpId),
    action === "delete" ? html`<strong class="warn">deletes it</strong>` : html`keeps it`,
    reasons.join("; "),
    action === "delete" ? "with the next run" : expectedAt === undefined ? "not within 400 days" : moment(expectedAt),
  ]);
  if (rows.length === 0) return html`<p>Policy: ${policyWords(policy)}. There is no dump to decide over.</p>`;
  return html`<p>Policy: ${policyWords(policy)}. Of ${counted(rows.length, "dump")}, the next run would delete ${goes}. The last column shows when
each one would go if dumps and retention continue at the pace of today, and no further dump is verified.</p>
${foldedTable(`${id}-retention`, `Retention of ${what}`, columns, rows)}`;
};
