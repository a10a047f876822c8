import { type Html, html, nothing } from "../html.ts";
import type { Span } from "../plots/frame.ts";
import type { InstallationReport, Reading, ReportedStore } from "../report.ts";
import { credentialsPart, exportsPart, schedulesPart } from "./agesPart.ts";
import { drillsPart } from "./drillsPart.ts";
import { dumpsPart } from "./dumpsPart.ts";
import { retentionPart } from "./retentionPart.ts";
import { unreadNotice } from "./tables.ts";

/** A part with its heading; absent where the configuration has none, a notice where it could not be read. */
const part = <Value>(
  heading: string,
  what: string,
  reading: Reading<Value> | undefined,
  show: (value: Value) => Html,
): Html => {
  if (!reading) return nothing;
  return html`<h3>${heading}</h3>
${"value" in reading ? show(reading.value) : unreadNotice(`${heading} of ${what}`, reading.unread)}
`;
};

const storePart = (store: ReportedStore, installation: string, id: string, span: Span): Html => {
  const { copy, destination, format, unread } = store;
  const heading = copy === undefined ? "Dumps" : `Copy ${copy}`;
  const what = copy === undefined ? `dumps of ${installation}` : `copy ${copy} of ${installation}`;
  const place = `${id}-${copy ?? 0}`;
  return html`<h3>${heading}</h3>
<p class="muted">${format} at <code>${destination}</code></p>
${unread ? unreadNotice(destination, unread) : nothing}
${dumpsPart(store, what, place, span)}
<h4>Retention</h4>
${unread ? html`<p>Not known: the destination could not be read.</p>` : retentionPart(store, what, place)}
`;
};

/** All that the report says of one installation. */
export const installationPart = (report: InstallationReport, id: string, span: Span): Html => {
  const { installation, stores, drills, credentials, exports, schedules } = report;
  return html`<section id="${id}" aria-labelledby="${id}-name">
<h2 id="${id}-name">${installation}</h2>
${stores.length === 0 ? html`<p>The configuration has no dumps of it.</p>` : nothing}
${stores.map((store) => storePart(store, installation, id, span))}
${part("Restore drills", installation, drills, (value) => drillsPart(value, installation, id, span))}
${part("Credentials", installation, credentials, (value) => credentialsPart(value, installation, id))}
${part("Exports", installation, exports, (value) => exportsPart(value, installation, id))}
${part("Schedules", installation, schedules, (value) => schedulesPart(value, installation, id))}
</section>
`;
};
