import { NotificationRefusedError, NotificationUnavailableError } from "@openemr-ops/core/errors";
import { ulidPattern } from "@openemr-ops/core/ids";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { kindNames } from "@openemr-ops/events/jobKinds";
import { type Channel, type ChannelFilter, type Notice, wantedBy } from "@openemr-ops/notifications/channel";
import type { HttpTransport } from "@openemr-ops/notifications/httpRequest";
import { jobMail } from "@openemr-ops/notifications/jobMail";
import { resultMessage } from "@openemr-ops/notifications/jobMessages";
import type { ResultEvent } from "@openemr-ops/notifications/jobWords";
import { notifier } from "@openemr-ops/notifications/notifier";
import { type PingAddresses, pingChannel, pingMoments, uuidOf } from "@openemr-ops/notifications/pingChannel";
import { eventOfRecord } from "@openemr-ops/notifications/recordEvent";
import { slackChannel } from "@openemr-ops/notifications/slackChannel";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slackDouble } from "../../support/slackDouble.ts";

const origin = { machine: "vm1" };
const running: JobRecord = {
  jobId: "01K9ZV6T5W8QH3N2R4X7BCDEFG",
  kind: "dump",
  installation: "clinic-a",
  status: "running",
  dryRun: false,
  requestedAt: "2026-11-21T04:08:00.123Z",
  startedAt: "2026-11-21T04:08:00.123Z",
};
const endedAt = "2026-11-21T04:08:05.123Z";
const succeeded: JobRecord = {
  ...running,
  status: "succeeded",
  endedAt,
  figures: { rows: 7 },
  result: { dumpId: "D" },
};
const error = { name: "DatabaseUnavailableError", message: "db:3306 does not answer" };
const failed: JobRecord = { ...running, status: "failed", endedAt, error };
const hooked: JobRecord = { ...succeeded, result: { dumpId: "D", afterHook: "rclone ended with exit status 3" } };

const notice = (record: JobRecord, failingSince?: string): Notice => ({
  record,
  occasions: [],
  ...(failingSince === undefined ? {} : { failingSince }),
});

describe("an e-mail about a job", () => {
  it("that failed has error, next step, command, runbook and machine", () => {
    const { subject, text } = jobMail(notice(failed), origin);

    expect(subject).toBe("Dump of clinic-a failed after 5.0 s: DatabaseUnavailableError");
    expect(text).toBe(`Dump of clinic-a failed after 5.0 s.

  DatabaseUnavailableError: db:3306 does not answer

Next step: Check that the database server runs and can be reached, then start the job again.

  openemr-ops dump --installation clinic-a

Runbook: docs/runbooks/database.md

  started  2026-11-21 04:08:00Z
  ended    2026-11-21 04:08:05Z
  job      01K9ZV6T5W8QH3N2R4X7BCDEFG
  machine  vm1
`);
  });

  it("that reported no start names no duration", () => {
    const { startedAt: _, ...lost } = { ...failed, error: { name: "TaskLostError", message: "the unit failed" } };
    const { subject, text } = jobMail(notice(lost), origin);

    expect(subject).toBe("Dump of clinic-a failed: TaskLostError");
    expect(text).not.toContain("started");
  });

  it.each([
    ["1", "retention", "openemr-ops retention --installation clinic-a --copy 1\n"],
    ["1", "copy", "openemr-ops copy --installation clinic-a --copy 1\n"],
    ["1; reboot", "check", "openemr-ops check --installation clinic-a\n"],
  ])("that failed at copy %s has the command for that copy: %s", (copy, kind, command) => {
    expect(jobMail(notice({ ...failed, kind, result: { copy } }), origin).text).toContain(command);
  });

  it("that failed to copy to a place that is not listed has no command: its options are not known", () => {
    const { text } = jobMail(notice({ ...failed, kind: "copy", result: { destination: "file:///mnt/usb" } }), origin);
    expect(text).not.toContain("openemr-ops copy");
    expect(text).toContain("file:///mnt/usb");
  });

  it("that works again says since when it had failed, with the figures", () => {
    const { subject, text } = jobMail(notice(succeeded, "2026-11-20T04:00:00.000Z"), origin);

    expect(subject).toBe("Dump of clinic-a succeeded after 5.0 s, and works again");
    expect(text).toContain("It had failed since 2026-11-20 04:00:00Z.");
    expect(text).toMatch(/\n {2}rows {5}7\n {2}dumpId {3}D\n/);
  });

  it("whose work is complete while its hook failed does not call it failed", () => {
    const { subject, text } = jobMail(notice(hooked), origin);

    expect(subject).toBe("Dump of clinic-a succeeded after 5.0 s, but its hook failed");
    expect(text).toContain("rclone ended with exit status 3");
    expect(text).toContain("Runbook: docs/runbooks/task.md");
  });

  it("shows no foreign text as lines of its own, in subject and text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (foreign) => {
        const record = { ...failed, kind: "unit", installation: foreign, error: { name: foreign, message: foreign } };
        const known = { ...record, kind: "dump", installation: "clinic-a" };
        for (const one of [record, known]) {
          const { subject, text } = jobMail(notice(one), origin);
          expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
          expect(text.split("\n").length).toBeLessThan(20);
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each(kindNames)("of the kind %s has a subject and the time that it took", (kind) => {
    expect(jobMail(notice({ ...succeeded, kind }), origin).subject).toMatch(/ of clinic-a succeeded after 5\.0 s$/);
  });
});

describe("the identifier of a run, for a monitor", () => {
  it("is a UUID with the bits of the job's identifier", () => {
    expect(uuidOf("00000000000000000000000000")).toBe("00000000-0000-0000-0000-000000000000");
    expect(uuidOf("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")).toBe("ffffffff-ffff-ffff-ffff-ffffffffffff");
    expect(uuidOf("01K9ZV6T5W8QH3N2R4X7BCDEFG")).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(uuidOf("by-hand")).toBeUndefined();
    const anyUlid = fc.stringMatching(ulidPattern);
    fc.assert(fc.property(anyUlid, anyUlid, (one, other) => (uuidOf(one) === uuidOf(other)) === (one === other)));
  });
});

const everything: ChannelFilter = { on: ["start", "success", "failure", "recovery"] };

/** A transport that notes what is requested and answers with a status, or with a text. */
const transportOf = (...answers: readonly (number | string)[]) => {
  const requests: { readonly url: string; readonly init: RequestInit }[] = [];
  let clock = 0;
  const transport: HttpTransport = {
    fetch: async (url, init = {}) => {
      requests.push({ url: String(url), init });
      const answer = answers[requests.length - 1] ?? answers.at(-1) ?? 200;
      return typeof answer === "number" ? new Response("", { status: answer }) : new Response(answer);
    },
    now: () => new Date(clock),
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
    deadline: new Date(20_000),
    attemptSeconds: 8,
  };
  return { transport: () => transport, requests };
};

const secret = "https://hc.example/ping/canary-ping?create=1";
const one: PingAddresses = { paths: true, moments: new Set(pingMoments), at: async () => secret };
const occasionOf = (record: JobRecord): Notice => ({
  record,
  occasions:
    record === running
      ? ["start"]
      : record === hooked
        ? ["success", "failure"]
        : record === failed
          ? ["failure"]
          : ["success"],
});

describe("a ping", () => {
  it("says start, success and failure below one address, with the run's identifier and a short text", async () => {
    const { transport, requests } = transportOf(200);
    const channel = pingChannel(0, everything, { addresses: one, transport });
    for (const record of [running, succeeded, failed, hooked]) await channel.send(occasionOf(record));

    const rid = `create=1&rid=${uuidOf(running.jobId)}`;
    expect(requests.map(({ url }) => url)).toEqual([
      `https://hc.example/ping/canary-ping/start?${rid}`,
      `https://hc.example/ping/canary-ping?${rid}`,
      `https://hc.example/ping/canary-ping/fail?${rid}`,
      `https://hc.example/ping/canary-ping/fail?${rid}`,
    ]);
    expect(requests.map(({ init }) => init.method)).toEqual(["POST", "POST", "POST", "POST"]);
    expect(requests[2]?.init.body).toBe("dump of clinic-a: failed\nDatabaseUnavailableError: db:3306 does not answer");
  });

  it("requests addresses of the operator's own as they are, and nothing where there is none", async () => {
    const { transport, requests } = transportOf(200);
    const own: PingAddresses = {
      paths: false,
      moments: new Set(["success", "failure"]),
      at: async (moment) => (moment === "start" ? undefined : `http://10.0.0.7:3001/api/push/k?status=${moment}`),
    };
    const channel = pingChannel(0, everything, { addresses: own, transport });
    for (const record of [running, succeeded, failed]) await channel.send(occasionOf(record));

    expect(requests).toEqual([
      { url: "http://10.0.0.7:3001/api/push/k?status=success", init: expect.objectContaining({ method: "GET" }) },
      { url: "http://10.0.0.7:3001/api/push/k?status=failure", init: expect.objectContaining({ method: "GET" }) },
    ]);
  });

  it("is asked for no moment that has no address, so that it never counts as having told people", async () => {
    const { transport, requests } = transportOf(200);
    const addresses: PingAddresses = { paths: false, moments: new Set(["success"]), at: async () => secret };
    const { listen, failuresTold } = listening(pingChannel(0, everything, { addresses, transport }));
    for (const record of [running, failed, hooked, succeeded]) await listen(record);

    expect(failuresTold()).toBe(0);
    expect(requests).toHaveLength(1);
  });

  it("to an address of the operator's own is taken with status 200, whatever the text is", async () => {
    const { transport, requests } = transportOf("OK (not found)");
    const addresses: PingAddresses = { paths: false, moments: new Set(["success"]), at: async () => secret };
    await pingChannel(0, everything, { addresses, transport }).send(occasionOf(succeeded));

    expect(requests).toHaveLength(1);
  });

  it("is tried again while the monitor is at fault", async () => {
    const { transport, requests } = transportOf(503, 429, "OK (rate limited)", 200);
    await pingChannel(0, everything, { addresses: one, transport }).send(occasionOf(succeeded));

    expect(requests).toHaveLength(4);
  });

  it.each([
    ["does not know the address", [404], NotificationRefusedError, 1],
    ["says so with status 200", ["OK (not found)"], NotificationRefusedError, 1],
    ["takes no more pings for now", ["OK (rate limited)"], NotificationUnavailableError, 5],
    ["sends it elsewhere", [302], NotificationRefusedError, 1],
    ["stays at fault", [500], NotificationUnavailableError, 5],
  ] as const)("fails by name, without its address, where the monitor %s", async (_, answers, kind, tries) => {
    const { transport, requests } = transportOf(...answers);
    const sent = pingChannel(3, everything, { addresses: one, transport }).send(occasionOf(succeeded));
    const failure: unknown = await sent.catch((thrown: unknown) => thrown);

    expect(failure).toBeInstanceOf(kind);
    expect(String(failure)).toContain("notifications.ping[3]");
    expect(String(failure)).not.toContain("canary");
    expect(requests).toHaveLength(tries);
  });

  it.each(["ftp://canary", "http://hc.example/canary", "canary", "https://u:canary@hc.example/"])(
    "goes nowhere when its secret is %s, which is not repeated",
    async (address) => {
      const { transport, requests } = transportOf(200);
      const channel = pingChannel(0, everything, { addresses: { ...one, at: async () => address }, transport });
      const failure: unknown = await channel.send(occasionOf(succeeded)).catch((thrown: unknown) => thrown);

      expect(failure).toMatchObject({ name: "InvalidInputError" });
      expect(String(failure)).not.toContain("canary");
      expect(requests).toEqual([]);
    },
  );
});

describe("a channel", () => {
  it.each<[string, ChannelFilter, boolean]>([
    ["for failures alone", { on: ["failure"] }, true],
    ["for starts alone", { on: ["start"] }, false],
    ["for dumps", { on: ["failure"], kinds: ["dump"] }, true],
    ["for drills", { on: ["failure"], kinds: ["drill"] }, false],
    ["for another installation", { on: ["failure"], installations: ["clinic-b"] }, false],
  ])("%s gets the failure of a dump: %s", (_, filter, wanted) => {
    expect(wantedBy(filter)({ record: failed, occasions: ["failure"] })).toBe(wanted);
  });
});

/** A channel that keeps what it is sent, `fail`s where it should, and waits for `gate`. */
const recorder = (field: string, filter: ChannelFilter, { fail = false, gate = Promise.resolve() } = {}) => {
  const got: string[] = [];
  const channel: Channel = {
    field,
    wants: wantedBy(filter),
    send: async ({ record, occasions }) => {
      await gate;
      if (fail) throw new NotificationRefusedError("no such webhook", "no_service");
      got.push(`${record.status}: ${occasions.join()}`);
    },
    test: async () => undefined,
  };
  return { channel, got };
};

const memoryFailing = () => {
  const since = new Map<string, string>();
  return {
    note: async ({ kind, endedAt: at = "" }: JobRecord) => {
      if (!since.has(kind)) since.set(kind, at);
    },
    recover: async ({ kind }: JobRecord) => {
      const at = since.get(kind);
      since.delete(kind);
      return at;
    },
  };
};

const listening = (...channels: readonly Channel[]) => {
  const warnings: string[] = [];
  let failuresTold = 0;
  const { listen } = notifier(channels, {
    failing: memoryFailing(),
    warn: (message) => warnings.push(message),
    failureTold: async () => void failuresTold++,
  });
  return { listen, warnings, failuresTold: () => failuresTold };
};

describe("people", () => {
  it("are notified by each channel of what it is for: starts, successes, failures, recoveries", async () => {
    const all = recorder("all", everything);
    const usual = recorder("usual", { on: ["failure", "recovery"] });
    const { listen, failuresTold } = listening(all.channel, usual.channel);
    for (const record of [running, succeeded, running, failed, failed, running, succeeded, succeeded, hooked])
      await listen(record);

    expect(usual.got).toEqual([
      "failed: failure",
      "failed: failure",
      "succeeded: success,recovery",
      "succeeded: success,failure",
    ]);
    expect(all.got.filter((one) => one === "running: start")).toHaveLength(3);
    expect(failuresTold()).toBe(3);
  });

  it("are not waited for when a job starts, and get its end after its start", async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const { channel, got } = recorder("slow", everything, { gate });
    const { listen } = listening(channel);
    await listen(running);
    const end = listen(succeeded);
    expect(got).toEqual([]);
    open();
    await end;

    expect(got).toEqual(["running: start", "succeeded: success"]);
  });

  it("are notified by the other channels when one fails, which is a warning and nothing more", async () => {
    const { channel, got } = recorder("good", everything);
    const bad = recorder("notifications.slack", everything, { fail: true });
    const { listen, warnings, failuresTold } = listening(bad.channel, channel);
    await listen(failed);

    expect(got).toEqual(["failed: failure"]);
    expect(warnings).toEqual(["notifications.slack reports a problem: NotificationRefusedError: no such webhook"]);
    expect(failuresTold()).toBe(1);
  });

  it("count as not notified when every channel failed", async () => {
    const { listen, failuresTold } = listening(recorder("notifications.slack", everything, { fail: true }).channel);
    await listen(failed);

    expect(failuresTold()).toBe(0);
  });
});

describe("Slack for jobs by hand", () => {
  it("shows one message for each job, its failure in the thread, with the machine and the command to type", async () => {
    const slack = slackDouble();
    const channel = slackChannel({ open: async () => slack, origin, warn: () => undefined });
    for (const record of [running, failed]) await channel.send(occasionOf(record));

    const [first, second] = slack.shown();
    expect(slack.shown()).toHaveLength(2);
    expect(first?.text).toBe("Dump of clinic-a failed after 5.0 s: DatabaseUnavailableError");
    expect(second).toMatchObject({ thread: first?.place.ts, broadcast: true });
  });

  it.each(["dump", "health"] as const)(
    "shows a hook that failed after a %s as a problem, and no job as running",
    async (kind) => {
      const slack = slackDouble();
      const channel = slackChannel({ open: async () => slack, origin, warn: () => undefined });
      for (const record of [running, hooked]) await channel.send(occasionOf({ ...record, kind }));

      const shown = slack.shown();
      const problem = shown.at(-1);
      for (const { text } of shown) expect(text).toMatch(/ of clinic-a succeeded after 5\.0 s, but its hook failed$/);
      expect(shown).toHaveLength(kind === "health" ? 1 : 2);
      if (kind === "dump") expect(problem).toMatchObject({ thread: shown[0]?.place.ts, broadcast: true });
    },
  );

  it("shows what the hook wrote once, with the next step", () => {
    const blocks = JSON.stringify(resultMessage(eventOfRecord(hooked) as ResultEvent, origin).blocks);
    expect(blocks).toContain(":warning:");
    expect(blocks.split("rclone ended with exit status 3")).toHaveLength(2);
    expect(blocks).toContain("Runbook: docs/runbooks/task.md");
  });

  it("shows a unit that failed although no job of it is known", async () => {
    const slack = slackDouble();
    const channel = slackChannel({ open: async () => slack, origin, warn: () => undefined });
    await channel.send(occasionOf({ ...failed, kind: "unit", installation: "certbot.service" }));

    expect(slack.shown()[0]?.text).toBe("unit of certbot.service: failed");
  });
});
