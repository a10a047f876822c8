import { parseArguments } from "@openemr-ops/cli/arguments";
import { busEvent } from "@openemr-ops/events/busEvent";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import type { SlackMessage } from "@openemr-ops/notifications/blocks";
import {
  endedElsewhereMessage,
  endedMessage,
  overdueMessage,
  resultMessage,
  startMessage,
  type ToldEvent,
} from "@openemr-ops/notifications/jobMessages";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import failed from "../../../events/samples/JobFailed.v1.json" with { type: "json" };
import overdue from "../../../events/samples/JobOverdue.v1.json" with { type: "json" };
import started from "../../../events/samples/JobStarted.v1.json" with { type: "json" };
import succeeded from "../../../events/samples/JobSucceeded.v1.json" with { type: "json" };
import { anyToldEvent } from "../../support/anyJobEvent.ts";
import { expectEscaped, expectWithinLimits, markUpOf } from "../../support/slackRules.ts";

const stage = "production";
const origin = { stage };

/** All messages that an event gives rise to. */
const messagesOf = (event: ToldEvent): readonly SlackMessage[] => {
  if (event.name === "JobStarted")
    return [startMessage(event.detail, origin), endedElsewhereMessage(event.detail, origin)];
  if (event.name === "JobOverdue") return [overdueMessage(event.detail, stage)];
  return [resultMessage(event, origin), endedMessage(event, origin)];
};

const sample = <Name extends JobEvent["name"]>(name: Name, event: unknown): Extract<JobEvent, { name: Name }> => {
  const parsed = busEvent.parse(event);
  if (parsed.name !== name) throw new Error(`the sample is a ${parsed.name}`);
  return parsed as Extract<JobEvent, { name: Name }>;
};

const titleOf = ({ blocks: [first] }: SlackMessage): string => (first?.type === "header" ? first.text.text : "");
const wordsOf = (message: SlackMessage): string => markUpOf(message).join("\n");

describe("a message", () => {
  it("of any event keeps to Slack's limits, with every foreign text escaped", () => {
    fc.assert(
      fc.property(anyToldEvent, (event) => {
        for (const message of messagesOf(event)) {
          expectWithinLimits(message);
          expectEscaped(message);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("tells to type only what the command line understands", () => {
    fc.assert(
      fc.property(anyToldEvent, (event) => {
        for (const message of messagesOf(event))
          for (const [, command = ""] of wordsOf(message).matchAll(/`openemr-ops ([^`]+)`/g))
            expect(parseArguments(command.split(" "), { cwd: "/srv", version: "1.0.0" })).toMatchObject({
              common: { installation: event.detail.installation },
            });
      }),
      { numRuns: 50 },
    );
  });

  it("of a start names the job, when it began and its execution", () => {
    const message = startMessage(sample("JobStarted", started[0]).detail, origin);

    expect(titleOf(message)).toBe(":hourglass_flowing_sand: Dump of clinic-a is running");
    expect(message.text).toBe("Dump of clinic-a is running");
    const words = wordsOf(message);
    const seconds = Date.parse("2026-11-21T02:30:04Z") / 1000;
    expect(words).toContain(`<!date^${seconds}^{date_short_pretty}, {time}|2026-11-21 02:30:04Z>`);
    expect(words).toContain("Job `01KAK0R8Q0ZJ5V1N6T3W9XYBCD`");
    expect(words).toContain(
      "<https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/arn:aws:states:eu-central-1:123456789012:execution:openemr-ops-production-clinic-a-DumpInstallation:01KAK0R8Q0ZJ5V1N6T3W9XYBCD|Execution in the console>",
    );
  });

  it("of a success has its figures in human units and the dump's identifier", () => {
    const event = sample("JobSucceeded", succeeded[0]);
    const message = resultMessage(event, origin);

    expect(titleOf(message)).toBe(":white_check_mark: Dump of clinic-a succeeded");
    expect(message.text).toBe(
      "Dump of clinic-a succeeded after 7 min 12 s: 2,113,412 rows, 287 tables, database size 1.1 GiB, 48,211 files, files size 9.0 GiB, 0 warnings",
    );
    for (const field of [
      "*Duration*\n7 min 12 s",
      "*rows*\n2,113,412",
      "*database size*\n1.1 GiB",
      "*dump time*\n6 min 58 s",
      "*dumpId*\n`01KAK0RB3F8C2M7P4H6S9TVWXY`",
    ])
      expect(markUpOf(message)).toContain(field);
    expect(markUpOf(endedMessage(event, origin))).toContain(message.text);
  });

  it("of a page that a job wrote leads to it, and to nowhere else", () => {
    const { detail } = sample("JobSucceeded", succeeded[0]);
    const page = "s3://clinic-a-dumps/openemr/reports/clinic-a/2026-11-27.html";
    const link = "https://eu-central-1.console.aws.amazon.com/s3/object/clinic-a-dumps?prefix=openemr/reports/x.html";
    const messages = (result: Readonly<Record<string, string>>) =>
      messagesOf({ name: "JobSucceeded", detail: { ...detail, kind: "report", result } }).map(wordsOf);
    for (const words of messages({ page, link })) expect(words).toContain(`<${link}|Open the page>`);
    const foreign = messages({ page, link: "https://evil.example.org/|Execution" });
    for (const words of foreign) expect(words).not.toMatch(/Open the page|<https:\/\/evil/);
    for (const [result] of [messages({ page }), foreign]) expect(result).toContain(page);
  });

  it("of a success with more figures and identifiers than a person reads has the first of them", () => {
    const event = sample("JobSucceeded", succeeded[0]);
    const figures = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`figure${index}`, index]));
    const result = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`result${index}`, "x"]));
    const words = wordsOf(resultMessage({ ...event, detail: { ...event.detail, figures, result } }, origin));

    expect(words.match(/\*figure\d+\*/g)).toHaveLength(20);
    expect(words.match(/\*result\d+\*/g)).toHaveLength(10);
  });

  it("of a dry run says so", () => {
    expect(titleOf(resultMessage(sample("JobSucceeded", succeeded[1]), origin))).toBe(
      ":white_check_mark: Dump of clinic-a (dry run) succeeded",
    );
  });

  it("of a failure has the error, what it says, the next step, what to type and the runbook", () => {
    const event = sample("JobFailed", failed[0]);
    const message = resultMessage(event, origin);
    const words = wordsOf(message);

    expect(titleOf(message)).toBe(":x: Dump of clinic-a failed");
    expect(message.text).toBe("Dump of clinic-a failed after 7 min 12 s: DestinationAccessDeniedError");
    expect(words).toContain("*Error*\n`DestinationAccessDeniedError`");
    expect(words).toContain(`\`\`\`${event.detail.error.message}\`\`\``);
    expect(words).toContain("Compare the task's role with the policies of the bucket and of its key.");
    expect(words).toContain("`openemr-ops run dump --stage production --installation clinic-a`");
    expect(words).toContain("Runbook: docs/runbooks/destination.md");
    expect(words).toContain("Stage `production`");
    expect(words).toContain("*dumpId*\n`01KAK0RB3F8C2M7P4H6S9TVWXY`");
  });

  it("of a job that somebody stopped does not call it failed, and does without words that are not there", () => {
    const message = resultMessage(sample("JobFailed", failed[1]), origin);

    expect(titleOf(message)).toBe(":octagonal_sign: Dump of clinic-a was stopped");
    expect(wordsOf(message)).not.toContain("``````");
  });

  it("of a restore that failed does not say to start it again without a target", () => {
    const event = sample("JobFailed", failed[0]);
    const words = wordsOf(resultMessage({ ...event, detail: { ...event.detail, kind: "restore" } }, origin));

    expect(words).not.toContain("npm run");
  });

  it("of a failure under a name that is not ours takes it for an unknown error", () => {
    const event = sample("JobFailed", failed[0]);
    const error = { name: "constructor", message: "?" };

    expect(wordsOf(resultMessage({ ...event, detail: { ...event.detail, error } }, origin))).toContain(
      "Treat this as a defect of the program",
    );
  });

  it("of an overdue job says since when, and when there was a success last", () => {
    const words = wordsOf(overdueMessage(sample("JobOverdue", overdue[0]).detail, stage));

    expect(words).toContain("|2026-11-21 02:30:00Z>");
    expect(words).toContain("*Last success*\n<!date^");
    expect(wordsOf(overdueMessage(sample("JobOverdue", overdue[1]).detail, stage))).toContain(
      "*Last success*\nnone recorded",
    );
  });

  it("of a job that was not started, because its installation was removed, says that and what to do", () => {
    const words = wordsOf(overdueMessage(sample("JobOverdue", overdue[0]).detail, stage));

    expect(words).toContain("was not started");
    expect(words).toContain("is not in the configuration any more");
    expect(words).toContain("Add it again, or delete the stack.");
    expect(words).not.toContain("is overdue");
  });
});
