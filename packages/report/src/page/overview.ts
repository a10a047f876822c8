import { completeDumps } from "../completeDumps.ts";
import { type Html, html, nothing } from "../html.ts";
import type { InstallationReport, Report, ReportedDump } from "../report.ts";
import { formatAge } from "../words.ts";
import { table } from "./tables.ts";
import { bytes, count, counted, duration, moment } from "./values.ts";

const newestWords = (newest: ReportedDump | undefined, generatedAt: string): Html => {
  if (!newest) return html`<strong class="bad">none</strong>`;
  const age = formatAge((Date.parse(generatedAt) - Date.parse(newest.at)) / 1000);
  return html`${moment(newest.at)}, ${age} old`;
};

const rowOf = (installation: InstallationReport, link: string, generatedAt: string): readonly Html[] => {
  const { stores, drills, openWarnings } = installation;
  const [first] = stores;
  const complete = first ? completeDumps(first, new Date(generatedAt)) : [];
  const proven = complete.find(({ state }) => state === "verified");
  const measured =
    drills && "value" in drills
      ? drills.value.drills.find(({ restoreSeconds }) => restoreSeconds !== undefined)
      : undefined;
  const [newest] = complete;
  const failures = openWarnings.filter(({ severity }) => severity === "failed").length;
  const state =
    failures > 0
      ? html`<strong class="bad">${counted(failures, "failure")}</strong>`
      : openWarnings.length > 0
        ? html`<strong class="warn">${counted(openWarnings.length, "warning")}</strong>`
        : html`<strong class="good">in order</strong>`;
  const notKnown = html`<strong class="bad">could not be read</strong>`;
  const none = first ? nothing : html`no dumps configured`;
  return [
    html`<a href="#${link}">${installation.installation}</a>`,
    state,
    first?.unread ? notKnown : first ? newestWords(newest, generatedAt) : none,
    first?.unread || !first ? nothing : count(complete.length),
    bytes(newest?.databaseBytes === undefined ? undefined : newest.databaseBytes + (newest.filesBytes ?? 0)),
    proven?.verified ? html`${proven.verified.level} ${moment(proven.verified.at)}` : nothing,
    duration(measured?.restoreSeconds),
  ];
};

/** One row for each installation. @param linkOf where its part of the page is */
export const overview = ({ installations, generatedAt }: Report, linkOf: (index: number) => string): Html =>
  table(
    "overview",
    "All installations of this report",
    [
      { heading: "installation" },
      { heading: "state" },
      { heading: "newest complete dump (UTC)" },
      { heading: "dumps", look: "figure" },
      { heading: "size", look: "figure" },
      { heading: "newest proof" },
      { heading: "restore took", look: "figure" },
    ],
    installations.map((installation, index) => rowOf(installation, linkOf(index), generatedAt)),
  );

/** What to look at, worst first, of all installations. */
export const attention = ({ installations }: Report, linkOf: (index: number) => string): Html => {
  const all = installations.flatMap(({ installation, openWarnings }, index) =>
    openWarnings.map((one) => ({ ...one, installation, link: linkOf(index) })),
  );
  if (all.length === 0) return html`<p><strong class="good">Nothing.</strong></p>`;
  const sorted = [
    ...all.filter(({ severity }) => severity === "failed"),
    ...all.filter(({ severity }) => severity !== "failed"),
  ];
  const items = sorted.map(
    ({ installation, link, severity, about, message }) =>
      html`<li>${severity === "failed" ? html`<strong class="bad">failure</strong>` : html`<strong class="warn">warning</strong>`} <a href="#${link}">${installation}</a>, ${about}: ${message}</li>
`,
  );
  return html`<p>${counted(all.length, "open warning")}, worst first.</p>
<ul class="attention">
${items}</ul>`;
};
