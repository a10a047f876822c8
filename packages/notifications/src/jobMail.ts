import { formatMoment } from "@openemr-ops/core/format";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { visible } from "@openemr-ops/core/visible";
import type { Notice } from "./channel.ts";
import {
  commandFor,
  figureFacts,
  hookProblemOf,
  jobSubject,
  type Origin,
  type ResultEvent,
  resultTitle,
} from "./jobWords.ts";
import { nextStepFor } from "./nextSteps.ts";
import { eventOfRecord } from "./recordEvent.ts";

/** A message in plain text. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
}

type Fact = readonly [label: string, value: string];

const table = (facts: readonly Fact[]): string => {
  const width = Math.max(...facts.map(([label]) => label.length));
  return facts.map(([label, value]) => `  ${visible(label).padEnd(width)}  ${visible(value)}\n`).join("");
};

const moments = ({ startedAt, endedAt }: JobRecord): readonly Fact[] => [
  ...(startedAt === undefined ? [] : [["started", formatMoment(startedAt)] as const]),
  ...(endedAt === undefined ? [] : [["ended", formatMoment(endedAt)] as const]),
];

/** The first thing to do about an error: the sentence, the command to type, the page with the rest. */
const nextStep = (errorName: string, command: string | undefined): string => {
  const { step, runbook } = nextStepFor(errorName);
  const typed = command === undefined ? "" : `\n  ${command}\n`;
  return `Next step: ${step.replaceAll("`", "")}\n${typed}\nRunbook: docs/runbooks/${runbook}\n`;
};

const endOf = (event: ResultEvent, { failingSince }: Notice, origin: Origin): MailText => {
  const title = resultTitle(event);
  const problem = hookProblemOf(event);
  if (event.name === "JobFailed") {
    const { error } = event.detail;
    return {
      subject: `${title}: ${visible(error.name)}`,
      text: `${title}.\n\n  ${visible(`${error.name}: ${error.message}`)}\n\n${nextStep(error.name, commandFor(event.detail, origin))}`,
    };
  }
  if (problem !== undefined)
    return {
      subject: `${title}, but its hook failed`,
      text: `${title}. Its result is complete, but the hook after it failed.\n\n  ${visible(problem)}\n\n${nextStep("HookFailedError", undefined)}`,
    };
  const since = failingSince === undefined ? "" : ` It had failed since ${formatMoment(failingSince)}.`;
  return { subject: `${title}${since === "" ? "" : ", and works again"}`, text: `${title}.${since}\n` };
};

/** Of what is no job of this release, such as a unit of systemd. */
const unknownKind = ({ kind, installation, status, error }: JobRecord): MailText => ({
  subject: visible(`${kind} of ${installation}: ${status}`),
  text: error ? `${visible(`${error.name}: ${error.message}`)}\n\n${nextStep(error.name, undefined)}` : "",
});

/**
 * What an e-mail says of a job: the result, error and next step, figures, identifiers. The words are those of Slack's
 * messages. Nothing that was not written here can begin a line.
 */
export const jobMail = (notice: Notice, origin: Origin): MailText => {
  const { record } = notice;
  const { figures = {}, result = {} } = record;
  const event = eventOfRecord(record);
  const from: Fact = "stage" in origin ? ["stage", origin.stage] : ["machine", origin.machine];
  const facts: readonly Fact[] = [
    ...moments(record),
    ...(event ? figureFacts(event.detail.kind, figures) : []),
    ...Object.entries(result),
    ["job", record.jobId],
    from,
  ];
  const { subject, text } =
    event === undefined
      ? unknownKind(record)
      : event.name === "JobStarted"
        ? { subject: `${jobSubject(event.detail)} is running`, text: `${jobSubject(event.detail)} is running.\n` }
        : endOf(event, notice, origin);
  return { subject, text: `${text}\n${table(facts)}` };
};

/** A message that only proves that messages arrive. */
export const testMessage = (origin: Origin): MailText => {
  const name = "stage" in origin ? origin.stage : origin.machine;
  return {
    subject: `Test of OpenEMR Ops on ${visible(name)}`,
    text: `This message proves that notifications of OpenEMR Ops on ${visible(name)} arrive. Nobody has to do anything.\n`,
  };
};
