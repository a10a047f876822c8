import type { AlarmEvent } from "@openemr-ops/events/alarmEvent";
import { context, header, type SlackMessage, section } from "./blocks.ts";
import { inCode, inLine } from "./mrkdwn.ts";
import type { TellContext, Told } from "./tell.ts";

/** The end of an alarm's description; `stacks/alarm.ts` asks for it. */
const runbookIn = /\s*\(runbook: ([a-z-]+)\)$/;

/**
 * An alarm over an installation's jobs, by its logical identifier: of each job that failed, people are notified by the job's
 * own message already. E-mail has this alarm too.
 */
const countsJobs = /-JobsFailed\d*[0-9A-F]{8}(-|$)/;

export const alarmMessage = (
  { alarmName, configuration: { description } }: AlarmEvent["detail"],
  stage: string,
): SlackMessage => {
  const [, runbook] = runbookIn.exec(description) ?? [];
  const what = description.replace(runbookIn, "") || alarmName;
  return {
    text: `Alarm: ${inLine(what, 1000)}`,
    blocks: [
      header(":rotating_light: An alarm of OpenEMR Ops rings"),
      section(inLine(what, 1000)),
      context([
        `Alarm ${inCode(alarmName, 300)}`,
        `Stage ${inCode(stage, 100)}`,
        ...(runbook === undefined ? [] : [`Runbook: docs/runbooks/${runbook}.md`]),
      ]),
    ],
  };
};

/**
 * Notifies people of an alarm that rings. Safe to repeat: each time that the alarm starts to ring is one message, unless
 * Slack accepted one and its response was lost. Throws as `tell` does.
 */
export const tellAlarm = async (
  { detail }: AlarmEvent,
  {
    stage,
    slack,
    ledger,
  }: Pick<TellContext, "slack"> & {
    readonly stage: string;
    readonly ledger: Pick<TellContext["ledger"], "once">;
  },
): Promise<Told> => {
  const { alarmName, state } = detail;
  if (state.value !== "ALARM" || countsJobs.test(alarmName)) return "nothing";
  const once = { topic: "slack", installation: "alarms", key: `alarm/${alarmName}/${state.timestamp}` } as const;
  const told = await ledger.once(once, async () => {
    await slack.post(alarmMessage(detail, stage));
  });
  return told ? "told" : "before";
};
