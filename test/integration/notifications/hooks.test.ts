import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "@openemr-ops/core/config/resolve";
import { configSchema } from "@openemr-ops/core/config/schema";
import type { Installation } from "@openemr-ops/core/config/settings";
import { DatabaseUnavailableError, HookFailedError, InstallationBusyError } from "@openemr-ops/core/errors";
import type { JobRecord } from "@openemr-ops/core/jobs";
import { freePort } from "@openemr-ops/local/servers/freePort";
import { startMonitor } from "@openemr-ops/local/servers/monitor";
import { hangUp, silence, status } from "@openemr-ops/local/servers/slack";
import { failingJobs } from "@openemr-ops/task/notified";
import { openNotifier } from "@openemr-ops/task/openNotifier";
import { openStores } from "@openemr-ops/task/openStores";
import type { Place } from "@openemr-ops/task/program";
import { type RunnableProgram, runByHand } from "@openemr-ops/task/runByHand";
import { withHooks } from "@openemr-ops/task/withHooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { aConfig, anInstallation } from "../../support/configuration.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-hooks-"));
  await mkdir(join(directory, "sites"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A place to work with these settings, and what it says. */
const placeWith = (hooks: object, notifications: object = {}, signal = new AbortController().signal) => {
  const written = aConfig({ ...anInstallation({ sites: { path: "sites" } }), hooks: { dump: hooks } });
  const config = resolveConfig(configSchema.parse({ ...written, notifications }), directory);
  const said = { notes: [] as string[], warnings: [] as string[] };
  const place: Place = {
    config,
    installation: config.installations[0] as Installation,
    environment: {},
    now: () => new Date(),
    signal,
    progress: () => undefined,
    warn: (message) => said.warnings.push(message),
    note: (line) => said.notes.push(line),
  };
  return { place, said };
};

/** A dump whose work is what a test wants. */
const dumpThat = (work: (place: Place) => Promise<void>): RunnableProgram<typeof request, unknown, unknown> => ({
  plan: async () => ({ result: "plan", report: { figures: {}, result: {} } }),
  run: async (place) => {
    await work(place);
    return { result: "result", report: { figures: { rows: 7 }, result: { dumpId: "D" } } };
  },
});
const request = { kind: "dump", dryRun: false } as const;
const quick = dumpThat(async () => undefined);
const runDump = (place: Place, program = quick) => runByHand(program, place, request, { openStores });

/** A hook that keeps its standard input and its variables. */
const keeping = (name: string, more = "") => ({
  run: ["sh", "-c", `cat > '${directory}/${name}.json'; env > '${directory}/${name}.env'; ${more}`],
});
const kept = async (name: string): Promise<JobRecord> =>
  JSON.parse(await readFile(join(directory, `${name}.json`), "utf8"));
const absent = async (name: string) => expect(stat(join(directory, `${name}.json`))).rejects.toThrow("ENOENT");
const recordOf = async (place: Place): Promise<JobRecord | undefined> =>
  (await (await openStores(place)).jobs.list("clinic-a"))[0];

describe("hooks", () => {
  const all = () => ({ before: keeping("before"), after: keeping("after"), onFailure: keeping("onFailure") });

  it("run before and after the work, with the record and a small environment", async () => {
    const { place } = placeWith(all());
    await runDump(place);

    expect(await kept("before")).toMatchObject({ kind: "dump", installation: "clinic-a", status: "running" });
    expect(await kept("after")).toMatchObject({ status: "succeeded", figures: { rows: 7 }, result: { dumpId: "D" } });
    await absent("onFailure");
    const variables = (await readFile(join(directory, "after.env"), "utf8")).split("\n");
    expect(variables).toContain("OPENEMR_OPS_INSTALLATION=clinic-a");
    expect(variables).toContain("OPENEMR_OPS_JOB_KIND=dump");
    expect(variables).toContain(`OPENEMR_OPS_JOB_ID=${(await recordOf(place))?.jobId}`);
    const known =
      /^(OPENEMR_OPS_(JOB_(ID|KIND)|INSTALLATION)|LC_ALL|TZ|PATH|HOME|TMPDIR|PWD|OLDPWD|SHLVL|_|\w*_PROXY|SSL_\w+|GOMEMLIMIT)=/;
    expect(variables.filter((line) => line !== "" && !known.test(line))).toEqual([]);
  });

  it.each(["before", "after"])("run %s the work while the job holds its locks", async (name) => {
    const mark = join(directory, "mark");
    const go = join(directory, "go");
    const wait = `touch '${mark}'; until [ -e '${go}' ]; do sleep 0.05; done`;
    const { place } = placeWith({ [name]: { run: ["sh", "-c", wait] } });
    const job = runDump(place);
    await vi.waitFor(() => stat(mark), 10_000);

    await expect(runDump(placeWith({}).place)).rejects.toMatchObject({ name: "InstallationBusyError" });
    await writeFile(go, "");
    await job;
    await runDump(placeWith({}).place);
  });

  it("that fail before the work keep it from starting, by name, and the hook for failures runs", async () => {
    let worked = false;
    const { place, said } = placeWith({ ...all(), before: { run: ["sh", "-c", "echo no disk here; exit 3"] } });
    const dump = dumpThat(async () => {
      worked = true;
    });
    const failure: unknown = await runDump(place, dump).catch((thrown: unknown) => thrown);

    expect(failure).toBeInstanceOf(HookFailedError);
    expect(String(failure)).toContain("installations[0].hooks.dump.before: sh ended with exit status 3");
    expect(worked).toBe(false);
    expect(said.notes).toEqual(["before: no disk here"]);
    expect(await kept("onFailure")).toMatchObject({ status: "failed", error: { name: "HookFailedError" } });
    expect(await recordOf(place)).toMatchObject({ status: "failed", error: { name: "HookFailedError" } });
    await absent("after");
  });

  it("that fail after the work are a warning, and part of the record of complete work", async () => {
    const { place, said } = placeWith({ ...all(), after: { run: [join(directory, "absent")] } });
    expect(await runDump(place)).toMatchObject({ result: "result" });

    expect(said.warnings).toEqual([
      expect.stringMatching(/^the job's work is complete, but the hook after it failed: .*absent/),
    ]);
    const record = await recordOf(place);
    expect(record).toMatchObject({
      status: "succeeded",
      result: { dumpId: "D", afterHook: expect.stringContaining("absent") },
    });
    await absent("onFailure");
  });

  it("for failures get the error, and their own failure changes nothing", async () => {
    const { place, said } = placeWith({ ...all(), onFailure: keeping("onFailure", "exit 9") });
    const dump = dumpThat(async () => {
      throw new DatabaseUnavailableError("db does not answer");
    });

    await expect(runDump(place, dump)).rejects.toThrow(DatabaseUnavailableError);
    expect(await kept("onFailure")).toMatchObject({ error: { name: "DatabaseUnavailableError" } });
    expect(said.warnings).toEqual([expect.stringContaining("hooks.dump.onFailure: sh ended with exit status 9")]);
  });

  it("that take too long are ended, with what they started", async () => {
    const mark = join(directory, "late");
    const { place } = placeWith({
      before: { run: ["sh", "-c", `(sleep 3; touch '${mark}') & sleep 60`], limitSeconds: 1 },
    });

    await expect(runDump(place)).rejects.toThrow(/took longer than 1 s and was stopped/);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await expect(stat(mark)).rejects.toThrow("ENOENT");
  });

  it("need not read their input, may leave something running, and have their output cut", async () => {
    const { place, said } = placeWith({ before: { run: ["sh", "-c", "sleep 30 & seq 1 1000"] } });
    await runDump(place);

    expect(said.notes).toHaveLength(201);
    expect(said.notes.at(-1)).toBe("before: more than 200 lines; the rest is left out");
  });

  it("do not run in a shell unless one is named", async () => {
    const { place, said } = placeWith({ before: { run: ["echo", "$HOME; `id`"] } });
    await runDump(place);

    expect(said.notes).toEqual(["before: $HOME; `id`"]);
  });

  it("are stopped with the job", async () => {
    const stop = new AbortController();
    const mark = join(directory, "mark");
    const before = { run: ["sh", "-c", `touch '${mark}'; sleep 60`] };
    const { place } = placeWith({ ...all(), before }, {}, stop.signal);
    const job = expect(runDump(place)).rejects.toMatchObject({ name: "JobAbortedError" });
    await vi.waitFor(() => stat(mark), 10_000);
    stop.abort();

    await job;
    const end = { status: "aborted", error: (await recordOf(place))?.error };
    expect(end.error?.name).toBe("JobAbortedError");
    expect(await kept("onFailure")).toMatchObject(end);
  });

  it("for failures get a lost lock as the failure that the record has, whatever stopped the work", async () => {
    const lost = new InstallationBusyError("the lock dump-repository of clinic-a was not renewed in time");
    const held = AbortSignal.abort(lost);
    const { place } = placeWith(all());
    const job = withHooks(place, "dump", aRecord, held, async () => {
      throw new DOMException("This operation was aborted", "AbortError");
    });

    await expect(job).rejects.toBe(lost);
    expect(await kept("onFailure")).toMatchObject({
      status: "failed",
      error: { name: "InstallationBusyError", message: lost.message },
    });
  });
});

describe("a receiver of pings that", () => {
  it.each([
    ["stays silent", Array(9).fill(silence), /NotificationUnavailableError: .*ETIMEDOUT/],
    ["answers with 500", Array(9).fill(status(500)), /NotificationUnavailableError: .*HTTP status 500/],
    ["hangs up", Array(9).fill(hangUp), /NotificationUnavailableError: /],
    ["redirects", [status(302, { location: "https://example.org/" })], /NotificationRefusedError: .*HTTP status 302/],
  ])("%s never fails the job: it is a warning in time", async (_, faults, warning) => {
    await using monitor = await startMonitor();
    monitor.failWith(...faults);
    await writeFile(join(directory, "ping.url"), monitor.url, { mode: 0o600 });
    const { place, said } = placeWith({}, { ping: [{ urlFile: "ping.url", on: ["success"] }] });
    const notifier = openNotifier(place.config, { ...place, budgetSeconds: 1 });
    const accepted = await notifier.told({ ...aRecord, endedAt: new Date().toISOString(), status: "succeeded" });

    expect(accepted).toEqual([]);
    expect(said.warnings).toEqual([expect.stringMatching(warning)]);
    expect(said.warnings.join()).toContain("notifications.ping[0] reports a problem");
    expect(said.warnings.join()).not.toContain("5bf66975");
  });
});

it("a copy to a place that is not listed ends no failure of another copy", async () => {
  const { note, recover } = failingJobs(directory);
  const endedAt = "2026-11-21T04:08:05.000Z";
  const early: JobRecord = { ...aRecord, kind: "copy", endedAt };
  const first: JobRecord = { ...early, result: { copy: "1" } };
  const there: JobRecord = { ...early, result: { destination: "file:///mnt/usb" } };
  await note(early);
  await note(first);

  expect(await recover(there)).toBeUndefined();
  await note(there);
  for (const record of [early, first, there]) expect(await recover(record)).toBe(endedAt);
});

it("a failure counts as not reported, with a warning, where the state directory cannot be read", async () => {
  const { place, said } = placeWith({}, { command: { run: ["true"] } });
  await writeFile(join(directory, "file"), "");
  const { hasReported } = openNotifier({ ...place.config, stateDirectory: join(directory, "file") }, place);

  expect(await hasReported("0123456789abcdef0123456789abcdef")).toBe(false);
  expect(said.warnings).toEqual([expect.stringMatching(/reported its failure by itself is not known: .*ENOTDIR/)]);
});

it("a ping with an address for successes alone is no channel for failures", async () => {
  await using monitor = await startMonitor();
  await writeFile(join(directory, "ping.url"), monitor.url, { mode: 0o600 });
  const { place, said } = placeWith({}, { ping: [{ successUrlFile: "ping.url" }] });
  const { told } = openNotifier(place.config, place);
  const endedAt = new Date().toISOString();

  expect(await told({ ...aRecord, endedAt })).toEqual([]);
  expect(await told({ ...aRecord, endedAt, status: "succeeded" })).toMatchObject([{ field: "notifications.ping[0]" }]);
  expect([monitor.pings.length, said.warnings]).toEqual([1, []]);
});

const aRecord: JobRecord = {
  jobId: "01K9ZV6T5W8QH3N2R4X7BCDEFG",
  kind: "dump",
  installation: "clinic-a",
  status: "failed",
  dryRun: false,
  requestedAt: "2026-11-21T04:08:00.123Z",
};

describe("a mail server that", () => {
  const failureThrough = async (port: number) => {
    const email = { host: "127.0.0.1", port, tls: "starttls", from: "ops@clinic.example", to: ["it@clinic.example"] };
    const { place, said } = placeWith({}, { email });
    const { told } = openNotifier(place.config, { ...place, budgetSeconds: 1 });
    return { accepted: await told({ ...aRecord, endedAt: new Date().toISOString() }), warnings: said.warnings.join() };
  };

  it("never greets is a warning in time", async () => {
    const server = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { accepted, warnings } = await failureThrough((server.address() as AddressInfo).port);
    server.close();

    expect(accepted).toEqual([]);
    expect(warnings).toMatch(/notifications\.email reports a problem: MailServerUnavailableError: .*cannot be reached/);
  });

  it("is not there is a warning", async () => {
    expect((await failureThrough(await freePort())).warnings).toMatch(/MailServerUnavailableError: .*ECONNREFUSED/);
  });

  it("offers no TLS gets no login and no message", async () => {
    const lines: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("220 mail ESMTP\r\n");
      socket.on("data", (data) => {
        lines.push(String(data).trim());
        socket.write(/^EHLO/.test(String(data)) ? "250-mail\r\n250 AUTH PLAIN\r\n" : "502 no\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { accepted } = await failureThrough((server.address() as AddressInfo).port);
    server.close();

    expect(accepted).toEqual([]);
    expect(lines.join(" ")).not.toMatch(/AUTH|MAIL FROM/);
  });
});
