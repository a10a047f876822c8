import type { JobRecord } from "@openemr-ops/core/jobs";
import { limits, section } from "./blocks.ts";
import type { Channel } from "./channel.ts";
import { jobMail, type MailText, testMessage } from "./jobMail.ts";
import type { Origin } from "./jobWords.ts";
import { asCode, inLine } from "./mrkdwn.ts";
import { eventOfRecord } from "./recordEvent.ts";
import type { Slack } from "./slack.ts";
import { tell } from "./tell.ts";
import type { MessagePlace, ThreadKey, ThreadStore } from "./threads.ts";

/** One process starts and ends a job, so that its thread need not outlive it. */
const threadsInMemory = (): ThreadStore => {
  const places = new Map<string, MessagePlace>();
  const keyOf = ({ installation, job }: ThreadKey) => `${installation}/${job}`;
  return {
    get: async (key) => places.get(keyOf(key)),
    put: async (key, place) => void places.set(keyOf(key), place),
  };
};

/**
 * Slack for jobs that no workflow runs: one message for each job, its result in the thread. A job that runs often is not
 * announced, and its success is not either.
 *
 * @param open opens Slack with a time limit of its own for each message
 */
export const slackChannel = ({
  open,
  origin,
  warn,
}: {
  readonly open: () => Promise<Slack>;
  readonly origin: Origin;
  readonly warn: (message: string) => void;
}): Channel => {
  const threads = threadsInMemory();
  const records = new Map<string, JobRecord>();
  const post = async ({ subject, text }: MailText): Promise<void> => {
    const sentence = inLine(subject, 200);
    await (await open()).post({
      text: sentence,
      blocks: [section(sentence), section(asCode(text, limits.sectionText))],
    });
  };
  return {
    field: "notifications.slack",
    wants: () => true,
    send: async (notice) => {
      const { record } = notice;
      const event = eventOfRecord(record);
      if (event === undefined) {
        await post(jobMail(notice, origin));
        return;
      }
      records.set(record.jobId, record);
      const ledger = {
        get: async ({ jobId }: { readonly jobId: string }) => records.get(jobId),
        once: async (_: unknown, act: () => Promise<void>) => {
          await act();
          return true;
        },
      };
      await tell(event, { origin, slack: await open(), ledger, threads, warn });
    },
    test: async () => {
      await post(testMessage(origin));
      return undefined;
    },
  };
};
