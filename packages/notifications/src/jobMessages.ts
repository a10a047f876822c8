import { isObjectLink } from "@openemr-ops/core/consoleLinks";
import { figureWords, formatDuration } from "@openemr-ops/core/format";
import type { JobKind } from "@openemr-ops/events/jobKinds";
import { type Block, context, fields, header, limits, type SlackMessage, section } from "./blocks.ts";
import { executionLink } from "./executionLink.ts";
import {
  type AnyJobEvent,
  commandFor,
  endingOf,
  figureFacts,
  hookProblemOf,
  jobSubject,
  type Origin,
  type ResultEvent,
  resultTitle,
  subject,
} from "./jobWords.ts";
import { overdueSteps } from "./kindWords.ts";
import { asCode, inCode, inLine } from "./mrkdwn.ts";
import { nextStepFor } from "./nextSteps.ts";

type EventNamed<Name extends AnyJobEvent["name"]> = Extract<AnyJobEvent, { readonly name: Name }>;
type Detail<Name extends AnyJobEvent["name"]> = EventNamed<Name>["detail"];

/** The events that people are notified of. */
export type ToldEvent = EventNamed<"JobStarted" | "JobOverdue"> | ResultEvent;

const mostIdentifiers = 10;

/** A time in the reader's time zone; UTC in plain text. */
const moment = (iso: string): string => {
  const utc = iso.replace("T", " ").replace(/\.\d+Z$/, "Z");
  return `<!date^${Math.floor(Date.parse(iso) / 1000)}^{date_short_pretty}, {time}|${utc}>`;
};

const field = (label: string, value: string): string => `*${label}*\n${value}`;

const figureFields = (kind: JobKind, figures: Readonly<Record<string, number>>): readonly string[] =>
  figureFacts(kind, figures).map(([label, text]) => field(inLine(label, 200), inLine(text, 500)));

const identifierFields = (identifiers: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(identifiers)
    .slice(0, mostIdentifiers)
    .map(([name, value]) => field(inLine(name, 200), inCode(value, 1500)));

const figureList = (figures: Readonly<Record<string, number>>): string =>
  Object.entries(figures)
    .filter(([name]) => name !== "seconds")
    .slice(0, 6)
    .map(([name, value]) => inLine(figureWords(name, value), 165))
    .join(", ");

/** The last line of a message: job, stage, and where to find details. */
const footer = (origin: Origin, parts: readonly string[], runbook?: string): Block =>
  context([
    ...parts,
    "stage" in origin ? `Stage ${inCode(origin.stage, 100)}` : `Machine ${inCode(origin.machine, 100)}`,
    ...(runbook === undefined ? [] : [`Runbook: docs/runbooks/${nextStepFor(runbook).runbook}`]),
  ]);

const ofJob = ({ jobId, execution }: Detail<"JobStarted">): readonly string[] => {
  const link = execution === undefined ? undefined : executionLink(execution);
  return [`Job ${inCode(jobId, 100)}`, ...(link === undefined ? [] : [`<${link}|Execution in the console>`])];
};

/** The page that a job wrote, where whoever is signed in can open it. No other address that a container reports becomes a link. */
const pageOf = ({ name, detail }: ResultEvent): readonly Block[] => {
  const link = name === "JobSucceeded" ? detail.result.link : undefined;
  return link !== undefined && isObjectLink(link) ? [section(`<${link}|Open the page>`)] : [];
};

/** @param command to type, whole */
const nextStep = (step: string, command?: string): Block =>
  section(`*Next step*\n${step}${command === undefined ? "" : `\n\`${command}\``}`);

/** Of a kind that no schedule starts today, an overdue job is one of an earlier deployment. */
const overdueStep = (kind: JobKind): string =>
  Object.entries(overdueSteps).find(([known]) => known === kind)?.[1] ?? nextStepFor("JobOverdue").step;

const removedStep =
  "This installation was removed from the configuration, and its stack is still there. Add it again, or delete the stack.";

const bounded = (text: string, blocks: readonly Block[]): SlackMessage => ({
  text: text.length > limits.fallback ? `${text.slice(0, limits.fallback - 1)}…` : text,
  blocks: blocks.slice(0, limits.blocks),
});

/** The first message of a job's thread, while the job runs. */
export const startMessage = (detail: Detail<"JobStarted">, origin: Origin): SlackMessage => {
  const title = `${jobSubject(detail)} is running`;
  return bounded(title, [
    header(`:hourglass_flowing_sand: ${title}`),
    ...fields([field("Started", moment(detail.at))]),
    footer(origin, ofJob(detail)),
  ]);
};

const icons = { succeeded: ":white_check_mark:", "was stopped": ":octagonal_sign:", failed: ":x:" } as const;

const endHeader = (event: ResultEvent): Block => {
  const ending = endingOf(event);
  if (hookProblemOf(event) !== undefined)
    return header(`:warning: ${jobSubject(event.detail)} ${ending}, but its hook failed`);
  return header(`${icons[ending]} ${jobSubject(event.detail)} ${ending}`);
};

const resultSentence = (event: ResultEvent): string => {
  const title = resultTitle(event);
  if (event.name === "JobFailed") return `${title}: ${inLine(event.detail.error.name, 256)}`;
  if (hookProblemOf(event) !== undefined) return `${title}, but its hook failed`;
  const words = figureList(event.detail.figures);
  return words === "" ? title : `${title}: ${words}`;
};

/** The result of a job: figures of a success; error, next step and runbook of a failure. */
export const resultMessage = (event: ResultEvent, origin: Origin): SlackMessage => {
  const sentence = resultSentence(event);
  const { seconds } = event.detail;
  const duration = seconds === undefined ? [] : [field("Duration", formatDuration(seconds))];
  if (event.name === "JobSucceeded") {
    const { kind, figures, result } = event.detail;
    const { afterHook: problem, ...reported } = result;
    const page = pageOf(event);
    const { link: _, ...withoutLink } = reported;
    const identifiers = identifierFields(page.length > 0 ? withoutLink : reported);
    return bounded(sentence, [
      endHeader(event),
      ...fields([...duration, ...figureFields(kind, figures), ...identifiers]),
      ...page,
      ...(problem === undefined
        ? [footer(origin, ofJob(event.detail))]
        : [
            section(asCode(problem, limits.sectionText)),
            nextStep(nextStepFor("HookFailedError").step),
            footer(origin, ofJob(event.detail), "HookFailedError"),
          ]),
    ]);
  }
  const { error, result } = event.detail;
  return bounded(sentence, [
    endHeader(event),
    ...fields([field("Error", inCode(error.name, 500)), ...duration, ...identifierFields(result)]),
    ...(error.message.trim() === "" ? [] : [section(asCode(error.message.trim(), limits.sectionText))]),
    nextStep(nextStepFor(error.name).step, commandFor(event.detail, origin)),
    footer(origin, ofJob(event.detail), error.name),
  ]);
};

/** The first message of the thread after the job has ended: the result in one line. */
export const endedMessage = (event: ResultEvent, origin: Origin): SlackMessage => {
  const sentence = resultSentence(event);
  return bounded(sentence, [
    endHeader(event),
    section(sentence),
    ...pageOf(event),
    footer(origin, ofJob(event.detail)),
  ]);
};

/** The same, when the result was posted before the start, as a separate message. */
export const endedElsewhereMessage = (detail: Detail<"JobStarted">, origin: Origin): SlackMessage => {
  const title = `${jobSubject(detail)} has ended`;
  return bounded(title, [
    header(`:ballot_box_with_check: ${title}`),
    section("The result is in a separate message in this channel."),
    footer(origin, ofJob(detail)),
  ]);
};

/** A schedule was due, and no job succeeded before the deadline. */
export const overdueMessage = (detail: Detail<"JobOverdue">, stage: string): SlackMessage => {
  const { lastSuccess, installation } = detail;
  const left = detail.configured === false;
  const title = left ? `${subject(detail)} was not started` : `${subject(detail)} is overdue`;
  const reason = left
    ? `${installation} is not in the configuration any more`
    : `no success since it was due at ${detail.dueAt}`;
  return bounded(`${title}: ${reason}`, [
    header(`:alarm_clock: ${title}`),
    ...fields([
      field("Due", moment(detail.dueAt)),
      field("Deadline", moment(detail.deadlineAt)),
      field("Last success", lastSuccess === undefined ? "none recorded" : moment(lastSuccess.endedAt)),
    ]),
    nextStep(
      left ? removedStep : overdueStep(detail.kind),
      `openemr-ops jobs --stage ${stage} --installation ${installation}`,
    ),
    footer({ stage }, [], "JobOverdue"),
  ]);
};
