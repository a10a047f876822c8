import { formatDuration, formatFigure } from "@openemr-ops/core/format";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import { type JobKind, jobKinds } from "@openemr-ops/events/jobKinds";
import { measured } from "./kindWords.ts";

/** Where a message comes from: a deployed stage, or a machine on which jobs run by hand or by a timer. */
export type Origin = { readonly stage: string } | { readonly machine: string };

/** Absent: the job has reported no start. */
type Duration<Detail> = Detail extends { readonly seconds: number } ? { readonly seconds?: number } : unknown;
/** An event of a job of any kind: by hand there are kinds that no workflow runs. */
type OfAnyKind<Event> = Event extends { readonly name: infer Name; readonly detail: infer Detail }
  ? {
      readonly name: Name;
      readonly detail: Omit<Detail, "kind" | "seconds"> & { readonly kind: JobKind } & Duration<Detail>;
    }
  : never;
export type AnyJobEvent = OfAnyKind<JobEvent>;
type EventNamed<Name extends JobEvent["name"]> = Extract<AnyJobEvent, { readonly name: Name }>;

export type StartEvent = EventNamed<"JobStarted">;
/** The events that end a job. */
export type ResultEvent = EventNamed<"JobSucceeded" | "JobFailed">;

/** A message shows at most this many; the job's record has all of them. */
const mostFigures = 20;

/** `Dump of clinic-a`. */
export const subject = ({ kind, installation }: { readonly kind: JobKind; readonly installation: string }): string =>
  `${jobKinds[kind].noun} of ${installation}`;

export const jobSubject = (detail: StartEvent["detail"] | ResultEvent["detail"]): string =>
  detail.dryRun ? `${subject(detail)} (dry run)` : subject(detail);

/** The problem of the hook that ran after a job's work. The work is complete all the same. */
export const hookProblemOf = ({ name, detail }: ResultEvent): string | undefined =>
  name === "JobSucceeded" ? detail.result.afterHook : undefined;

/** How a job ended, in words that follow its subject. */
export const endingOf = ({ name, detail }: ResultEvent): "succeeded" | "was stopped" | "failed" => {
  if (name === "JobSucceeded") return "succeeded";
  return detail.status === "aborted" ? "was stopped" : "failed";
};

/** `Dump of clinic-a failed after 4.2 s`. */
export const resultTitle = (event: ResultEvent): string => {
  const { seconds } = event.detail;
  const duration = seconds === undefined ? "" : ` after ${formatDuration(seconds)}`;
  return `${jobSubject(event.detail)} ${endingOf(event)}${duration}`;
};

/** The figures of a job with their labels. Foreign text. */
export const figureFacts = (
  kind: JobKind,
  figures: Readonly<Record<string, number>>,
): readonly (readonly [label: string, value: string])[] =>
  Object.entries(figures)
    .slice(0, mostFigures)
    .map(([name, value]) => {
      const [label, text] = formatFigure(name, value);
      return [name === "seconds" ? measured[kind] : label, text];
    });

/** Whether `{}` is enough as input: a restore needs a new target each time. */
const needsNoInput = (kind: JobKind): boolean => jobKinds[kind].input.safeParse({ kind }).success;

/** The command that starts a job of this kind again, whole; `undefined` where only a person knows its options. */
export const commandFor = (
  { kind, installation, result: { copy = "", destination } }: ResultEvent["detail"],
  origin: Origin,
): string | undefined => {
  if ("stage" in origin)
    return needsNoInput(kind)
      ? `openemr-ops run ${kind} --stage ${origin.stage} --installation ${installation}`
      : undefined;
  const toAnyPlace = kind === "copy" && copy === "" && destination !== undefined;
  if (kind === "restore" || toAnyPlace) return undefined;
  const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const fields = { installation, ...(/^\d+$/.test(copy) ? { copy } : {}) };
  const options = Object.entries(fields).map(([field, value]) => ` --${field} ${value}`); // an option has its field's name
  return `openemr-ops ${words}${options.join("")}`;
};
