import { formatBytes, formatCount, formatDuration, formatMoment } from "@openemr-ops/core/format";
import { type Html, html, nothing } from "../html.ts";
import { formatAge } from "../words.ts";

/** A figure as people read it, with the exact value for whoever reads the page with a program. Not known: nothing. */
const figure =
  (format: (value: number) => string) =>
  (value: number | undefined): Html =>
    value === undefined ? nothing : html`<data value="${value}">${format(value)}</data>`;

export const bytes = figure(formatBytes);
export const count = figure(formatCount);
export const duration = figure(formatDuration);

const day = 24 * 3600;

/** An age in days. */
export const ageDays = figure((days) => formatAge(days * day));

/** A moment of UTC. */
export const moment = (at: string | undefined): Html =>
  at === undefined ? nothing : html`<time datetime="${at}">${formatMoment(at)}</time>`;

export const code = (text: string | undefined): Html => (text === undefined ? nothing : html`<code>${text}</code>`);

/** `3 dumps`, `1 dump`. */
export const counted = (amount: number, noun: string): string =>
  `${formatCount(amount)} ${noun}${amount === 1 ? "" : "s"}`;
