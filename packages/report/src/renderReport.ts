import { hash } from "node:crypto";
import { formatMoment } from "@openemr-ops/core/format";
import { Html, html, nothing } from "./html.ts";
import { installationPart } from "./page/installationPart.ts";
import { attention, overview } from "./page/overview.ts";
import { style } from "./page/style.ts";
import { moment } from "./page/values.ts";
import type { Report } from "./report.ts";

/** Nothing is loaded, run or sent: of all that a page can do, this one has its own style alone. */
const policy = `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; form-action 'none'`;

const linkOf = (index: number): string => `installation-${index + 1}`;

/**
 * The report as one page of HTML that needs nothing else: no network, no script, no file beside it. It shows what the
 * document holds and nothing more; the same document gives the same page.
 */
export const renderReport = (report: Report): string => {
  const { generatedAt, since, records, complete, installations } = report;
  const span = { from: Date.parse(since), to: Date.parse(generatedAt) };
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>OpenEMR Ops report of ${formatMoment(generatedAt)}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>OpenEMR Ops report</h1>
<p>Written at ${moment(generatedAt)}, all times in UTC. Plots reach back to ${moment(since)}. Job records: ${records}.</p>
${complete ? nothing : html`<p class="unread"><strong class="bad">Some data could not be read.</strong> Those parts may have problems; each one shows the reason.</p>`}
</header>
<main>
<h2>At a glance</h2>
${overview(report, linkOf)}
<h2>Needs attention</h2>
${attention(report, linkOf)}
${installations.map((one, index) => installationPart(one, linkOf(index), span))}
</main>
</body>
</html>
`;
  return page.source;
};
