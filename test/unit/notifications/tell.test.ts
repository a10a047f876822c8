import { ControlPlaneUnavailableError, NotificationRefusedError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import type { JobEvent } from "@openemr-ops/events/jobEvent";
import { type TellContext, type Told, tell } from "@openemr-ops/notifications/tell";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type MemoryJobLedger, memoryJobLedger } from "../../support/memoryJobLedger.ts";
import { memoryThreads } from "../../support/memoryThreads.ts";
import { type SlackDouble, slackDouble } from "../../support/slackDouble.ts";

const execution = "arn:aws:states:eu-central-1:123456789012:execution:openemr-ops-test-clinic-a-DumpInstallation:job-1";
const at = "2026-11-21T02:30:04.120Z";
const detail = {
  version: 1,
  installation: "clinic-a",
  kind: "dump",
  at,
  jobId: "job-1",
  dryRun: false,
  execution,
} as const;
const endedAt = "2026-11-21T02:37:16.480Z";

const started: JobEvent = { name: "JobStarted", detail };
const progressed: JobEvent = { name: "JobProgressed", detail: { ...detail, step: "database", figures: {} } };
const succeeded: JobEvent = {
  name: "JobSucceeded",
  detail: { ...detail, at: endedAt, seconds: 432, figures: { rows: 7 }, result: {} },
};
const failed: JobEvent = {
  name: "JobFailed",
  detail: {
    ...detail,
    at: endedAt,
    status: "failed",
    seconds: 432,
    error: { name: "DiskFullError", message: "no space left" },
    result: {},
  },
};
const overdue: JobEvent = {
  name: "JobOverdue",
  detail: {
    version: 1,
    installation: "clinic-a",
    kind: "dump",
    at: "2026-11-21T08:31:00Z",
    dueAt: "2026-11-21T02:30:00Z",
    deadlineAt: "2026-11-21T08:30:00Z",
  },
};
const record: JobRecord = {
  jobId: "job-1",
  kind: "dump",
  installation: "clinic-a",
  status: "running",
  dryRun: false,
  requestedAt: at,
  execution,
};

const outage = () => new ControlPlaneUnavailableError("could not post to Slack in the time there was: HTTP status 503");
const successText = "Dump of clinic-a succeeded after 7 min 12 s: 7 rows";
const failureText = "Dump of clinic-a failed after 7 min 12 s: DiskFullError";

let slack: SlackDouble;
let ledger: MemoryJobLedger;
let context: TellContext;
let warnings: string[];
const given = (kind: "bot" | "webhook") => {
  slack = slackDouble(kind);
  ledger = memoryJobLedger();
  warnings = [];
  context = {
    origin: { stage: "test" },
    slack,
    ledger,
    threads: memoryThreads(),
    warn: (message) => warnings.push(message),
  };
};
beforeEach(() => given("bot"));

const texts = () => slack.shown().map(({ text }) => text);

describe("a job in Slack", () => {
  it("is one message, and its success an answer to it that the channel is not bothered with", async () => {
    expect(await tell(started, context)).toBe("told");
    expect(texts()).toEqual(["Dump of clinic-a is running"]);
    expect(await tell(succeeded, context)).toBe("told");

    const [root, result, ...more] = slack.shown();
    expect(more).toEqual([]);
    expect(root?.text).toBe(successText);
    expect(result).toMatchObject({ text: successText, thread: root?.place.ts, broadcast: false });
  });

  it("shows its failure to the whole channel", async () => {
    await tell(started, context);
    await tell(failed, context);

    const [root, result] = slack.shown();
    expect(root?.text).toBe(failureText);
    expect(result).toMatchObject({ text: failureText, thread: root?.place.ts, broadcast: true });
  });

  it("notifies people only when it fails or is overdue where it runs often", async () => {
    const often = (event: JobEvent) =>
      ({ ...event, detail: { ...event.detail, kind: "health", dueAt: "2026-11-21T02:30:00Z" } }) as JobEvent;
    expect(await tell(often(started), context)).toBe("nothing");
    expect(await tell(often(succeeded), context)).toBe("nothing");
    expect(texts()).toEqual([]);

    expect(await tell(often(failed), context)).toBe("told");
    expect(await tell(often(overdue), context)).toBe("told");
    expect(texts()).toEqual([
      "Health check of clinic-a failed after 7 min 12 s: DiskFullError",
      expect.stringMatching(/^Health check of clinic-a is overdue/),
    ]);
  });

  it("has its result told even when nobody told its start", async () => {
    expect(await tell(failed, context)).toBe("told");

    expect(slack.shown()).toEqual([{ place: expect.anything(), text: failureText }]);
  });

  it("is not said to run when that comes after its end", async () => {
    await ledger.create(record);
    await ledger.end(record, { status: "succeeded", endedAt });
    await tell(succeeded, context);

    expect(await tell(started, context)).toBe("nothing");
    expect(texts()).toEqual([successText]);
  });

  it("does not stay running in the channel when it ended while that was being said", async () => {
    await ledger.create(record);
    const slow: TellContext = {
      ...context,
      slack: {
        ...slack,
        post: async (message, answer) => {
          const place = await slack.post(message, answer);
          await ledger.end(record, { status: "succeeded", endedAt });
          await tell(succeeded, context);
          return place;
        },
      },
    };
    await tell(started, slow);

    expect(texts()).toEqual(["Dump of clinic-a has ended", successText]);
  });

  it("is reported once, however often its events come, in whatever order and however many at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(started, started, succeeded, succeeded, progressed), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (events, atOnce) => {
          given("bot");
          const deliveries = atOnce
            ? await Promise.allSettled(events.map((event) => tell(event, context)))
            : await events.reduce<Promise<PromiseSettledResult<Told>[]>>(
                async (before, event) => [...(await before), ...(await Promise.allSettled([tell(event, context)]))],
                Promise.resolve([]),
              );
          for (const delivery of deliveries)
            if (delivery.status === "rejected") expect(delivery.reason).toBeInstanceOf(ControlPlaneUnavailableError);
          for (const event of events) await tell(event, context); // Lambda tries again what was rejected

          const wanted = new Set(events.filter((event) => event !== progressed));
          expect(slack.shown()).toHaveLength(wanted.size);
          expect(texts().includes("Dump of clinic-a is running")).toBe(wanted.has(started) && !wanted.has(succeeded));
        },
      ),
    );
  });

  it("is reported at the next delivery when Slack was away at the first", async () => {
    await tell(started, context);
    slack.failWith(outage());
    await expect(tell(failed, context)).rejects.toThrow(ControlPlaneUnavailableError);
    expect(texts()).toEqual(["Dump of clinic-a is running"]);

    expect(await tell(failed, context)).toBe("told");
    expect(texts()).toEqual([failureText, failureText]);
  });

  it("has its first message corrected at the next delivery when only that failed", async () => {
    await tell(started, context);
    const afterPost: TellContext = {
      ...context,
      slack: {
        ...slack,
        update: async () => {
          throw outage();
        },
      },
    };
    await expect(tell(failed, afterPost)).rejects.toThrow(ControlPlaneUnavailableError);

    expect(await tell(failed, context)).toBe("before");
    expect(texts()).toEqual([failureText, failureText]);
  });

  it("has its result told in the channel when somebody deleted the first message", async () => {
    await tell(started, context);
    const [root] = slack.shown();
    if (root) slack.remove(root.place);

    expect(await tell(succeeded, context)).toBe("told");
    expect(slack.shown()).toEqual([{ place: expect.anything(), text: successText }]);
    expect(warnings).toHaveLength(2);
  });

  it("is not told and not taken for told when Slack refuses it", async () => {
    slack.failWith(new NotificationRefusedError("Slack refuses to post to Slack (not_in_channel)", "not_in_channel"));
    await expect(tell(failed, context)).rejects.toThrow(NotificationRefusedError);

    expect(await tell(failed, context)).toBe("told");
  });

  it("has a thread of its own beside another workflow's job of the same name", async () => {
    const other = {
      ...detail,
      kind: "drill" as const,
      execution: execution.replace("DumpInstallation", "RestoreDrill"),
    };
    await tell(started, context);
    await tell({ name: "JobStarted", detail: other }, context);
    await tell({ ...succeeded, detail: { ...succeeded.detail, ...other, at: endedAt } } as JobEvent, context);

    expect(texts()).toEqual([
      "Dump of clinic-a is running",
      "Restore drill of clinic-a succeeded after 7 min 12 s: 7 rows",
      "Restore drill of clinic-a succeeded after 7 min 12 s: 7 rows",
    ]);
  });

  it("is a plain message each with a webhook", async () => {
    given("webhook");
    for (const event of [started, failed, failed, started]) await tell(event, context);

    expect(slack.shown()).toEqual([
      { place: expect.anything(), text: "Dump of clinic-a is running" },
      { place: expect.anything(), text: failureText },
    ]);
  });

  it("makes no noise on its way", async () => {
    expect(await tell(progressed, context)).toBe("nothing");
    expect(slack.shown()).toEqual([]);
  });
});

describe("a job that is overdue", () => {
  it("is reported once for each due time", async () => {
    const next = { ...overdue.detail, dueAt: "2026-11-22T02:30:00Z" } as typeof overdue.detail;
    expect(await tell(overdue, context)).toBe("told");
    expect(await tell(overdue, context)).toBe("before");
    expect(await tell({ name: "JobOverdue", detail: next } as JobEvent, context)).toBe("told");

    expect(texts()).toEqual([
      "Dump of clinic-a is overdue: no success since it was due at 2026-11-21T02:30:00Z",
      "Dump of clinic-a is overdue: no success since it was due at 2026-11-22T02:30:00Z",
    ]);
  });
});
