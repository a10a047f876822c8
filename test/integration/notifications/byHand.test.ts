import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { kindNames } from "@openemr-ops/events/jobKinds";
import { type MonitorServer, startMonitor } from "@openemr-ops/local/servers/monitor";
import { type SesSmtpServer, sesSmtpPasswordOf, startSesSmtp } from "@openemr-ops/local/servers/sesSmtp";
import { type SlackServer, startSlackServer } from "@openemr-ops/local/servers/slack";
import { makeTlsMaterial } from "@openemr-ops/local/servers/tlsMaterial";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic, patientCanary } from "../../support/aClinic.ts";
import { dumpId, memoryOperations, runInMemory } from "../../support/commandLine.ts";
import { anInstallation } from "../../support/configuration.ts";
import { configurationFor } from "../../support/dumpContext.ts";
import { type RunningProgram, startReal } from "../../support/realCommandLine.ts";

const key = { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const mailPassword = sesSmtpPasswordOf(key.secret, "eu-west-1");

let clinic: Clinic;
let smtp: SesSmtpServer;
let caFile: string;
let monitor: MonitorServer;
let slack: SlackServer;
beforeAll(async () => {
  clinic = await aClinic();
  const tls = makeTlsMaterial(join(clinic.directory, "tls"));
  ({ caFile } = tls);
  smtp = await startSesSmtp({ tls, region: "eu-west-1", keys: async () => [{ ...key, active: true }] });
});
afterAll(async () => {
  await smtp.stop();
  await clinic.remove();
});

let place: string;
let places = 0;
beforeEach(async () => {
  monitor = await startMonitor();
  slack = await startSlackServer();
  place = join(clinic.directory, `notified-${++places}`);
  await mkdir(join(place, "drills"), { recursive: true });
  await writeFile(join(place, "mail.password"), mailPassword, { mode: 0o600 });
  await writeFile(join(place, "ping.url"), monitor.url, { mode: 0o600 });
  await writeFile(join(place, "slack.token"), slack.token, { mode: 0o600 });
  return async () => {
    await monitor[Symbol.asyncDispose]();
    await slack[Symbol.asyncDispose]();
  };
});

/** All channels, as an operator would write them. */
const notifications = () => ({
  slack: { botTokenFile: "slack.token", channel: "C0123456789" },
  email: {
    host: "127.0.0.1",
    port: smtp.startTlsPort,
    tls: "starttls",
    caFile,
    user: key.id,
    passwordFile: "mail.password",
    from: "ops@clinic.example",
    to: ["it@clinic.example", "boss@clinic.example"],
  },
  ping: [{ urlFile: "ping.url" }],
  command: { run: ["sh", "-c", `cat >> '${join(place, "told.jsonl")}'`], on: ["start", "success", "failure"] },
});

interface Changes {
  readonly notifications?: object;
  readonly hooks?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly database?: object;
  readonly top?: object;
}

/** Writes the configuration, and gives what starts the program on it. */
const programOn = async ({ environment: more, hooks, database, top, ...changes }: Changes = {}) => {
  const { config, environment } = configurationFor({ ...clinic, directory: place, dumps: { format: "portable" } });
  const [installation] = config.installations;
  const written = {
    ...config,
    notifications: changes.notifications ?? notifications(),
    installations: [
      { ...installation, ...(hooks ? { hooks } : {}), database: { ...installation?.database, ...database } },
    ],
    ...top,
  };
  const file = join(place, "c.json");
  await writeFile(file, JSON.stringify(written));
  const start = (args: readonly string[]): RunningProgram =>
    startReal([...args, "--config", file], { ...environment, OPENEMR_OPS_SLACK_API: slack.api, ...more });
  return { start, run: (...args: readonly string[]) => start(args).ended };
};

const mailsSince = async (count: number) =>
  Promise.all(smtp.received.slice(count).map(({ raw }) => PostalMime.parse(raw)));
const pathsOf = ({ pings }: MonitorServer) => pings.map(({ path }) => path);
const recordsTold = async (): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(join(place, "told.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

it("a dump by hand that fails, succeeds and succeeds again notifies people as each channel is set", async () => {
  const before = smtp.received.length;
  const wrong = await programOn({ environment: { DUMP_USER_PASSWORD: "canary-wrong-password" } });
  const failure = await wrong.run("dump", "--json", "--yes");
  const right = await programOn();
  const success = await right.run("dump", "--json", "--yes");
  const next = await right.run("dump", "--json", "--yes");

  expect([failure, success, next].map(({ exitCode }) => exitCode)).toEqual([4, 0, 0]);
  for (const { stderr } of [failure, success, next]) expect(stderr).not.toContain("reports a problem");
  // The monitor: each start with its end, by one identifier.
  expect(pathsOf(monitor)).toEqual(["/start", "/fail", "/start", "", "/start", ""]);
  const rids = monitor.pings.map(({ rid }) => rid);
  expect(new Set(rids).size).toBe(3);
  expect([rids[0], rids[2], rids[4]]).toEqual([rids[1], rids[3], rids[5]]);
  expect(monitor.pings[1]?.body).toMatch(/^dump of clinic-a: failed\nDatabaseAccessDeniedError: /);
  expect(monitor.pings[3]?.body).toMatch(/^dump of clinic-a: succeeded\n/);
  // Mail: the failure and the recovery, to all recipients.
  const mails = await mailsSince(before);
  expect(mails.map(({ subject }) => subject)).toEqual([
    expect.stringMatching(/^Dump of clinic-a failed after .* s: DatabaseAccessDeniedError$/),
    expect.stringMatching(/^Dump of clinic-a succeeded after .* s, and works again$/),
  ]);
  expect(smtp.received.at(-1)?.to).toEqual(["it@clinic.example", "boss@clinic.example"]);
  expect(mails[0]?.text).toContain("openemr-ops dump --installation clinic-a");
  expect(mails[0]?.text).toContain("Runbook: docs/runbooks/database.md");
  expect(mails[1]?.text).toContain(hostname());
  // Slack: a message for each job, replaced at its end, and the result in its thread.
  expect(slack.seen.map(({ method }) => method)).toEqual(
    Array.from({ length: 3 }, () => ["chat.postMessage", "chat.postMessage", "chat.update"]).flat(),
  );
  expect(JSON.stringify(slack.seen[1]?.body)).toContain("openemr-ops dump --installation clinic-a");
  // The command: whole records.
  const records = await recordsTold();
  expect(records.map(({ status }) => status)).toEqual([
    "running",
    "failed",
    "running",
    "succeeded",
    "running",
    "succeeded",
  ]);
  expect(records[3]).toMatchObject({ kind: "dump", installation: "clinic-a", result: { dumpId: expect.any(String) } });
  // Nothing that people, logs or records got has a secret or a patient.
  const notified = await readdir(join(place, "state"), { recursive: true, withFileTypes: true });
  const files = notified.filter((entry) => entry.isFile());
  const kept = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
  const texts = [
    ...[failure, success, next].flatMap(({ stdout, stderr }) => [stdout, stderr]),
    ...smtp.received.slice(before).map(({ raw }) => raw.toString()),
    ...mails.map(({ text = "" }) => text),
    ...monitor.pings.map(({ body }) => body),
    ...slack.seen.map(({ body }) => JSON.stringify(body)),
    JSON.stringify(records),
    ...kept,
  ].join("\n");
  for (const secret of ["canary-wrong-password", mailPassword, monitor.url, slack.token, patientCanary])
    expect(texts).not.toContain(secret);
});

it("a dry run notifies nobody and runs no hook", async () => {
  const mark = join(place, "hooked");
  const hook = { run: ["touch", mark] };
  const program = await programOn({ hooks: { dump: { before: hook, after: hook, onFailure: hook } } });

  expect(await program.run("dump", "--dry-run", "--json")).toMatchObject({ exitCode: 0 });
  expect([monitor.pings, slack.seen]).toEqual([[], []]);
  await expect(stat(mark)).rejects.toThrow("ENOENT");
  await expect(stat(join(place, "state"))).rejects.toThrow("ENOENT");
});

describe("a failure before the job has a record", () => {
  it.each<[string, Changes, string, number]>([
    ["the configuration is wrong elsewhere", { database: { port: "x" } }, "InvalidInputError", 2],
    ["a password file is absent", { database: { passwordFile: "gone", password: undefined } }, "InvalidInputError", 2],
    ["no state can be kept", { top: { stateDirectory: "ping.url/state" } }, "TargetUnsuitableError", 3],
  ])("reaches people where %s", async (_, changes, error, status) => {
    const before = smtp.received.length;
    const { exitCode } = await (await programOn(changes)).run("dump", "--json");

    expect(exitCode).toBe(status);
    expect(pathsOf(monitor)).toEqual(["/fail"]);
    expect(monitor.pings[0]?.body).toContain(error);
    const [mail] = await mailsSince(before);
    expect(mail?.subject).toBe(`Dump of clinic-a failed: ${error}`);
    expect(slack.seen).toHaveLength(1);
  });

  it("reaches nobody where monitoring asks for the age of dumps, which gets the answer itself", async () => {
    const program = await programOn();
    for (const args of [
      ["--max-age", "26h"],
      ["--max-age", "26h", "--copy", "3"],
    ])
      expect(await program.run("check", ...args, "--json")).not.toMatchObject({ exitCode: 0 });
    expect([monitor.pings, slack.seen]).toEqual([[], []]);
  });

  it("is a warning beside its error where the channels cannot be read either", async () => {
    const program = await programOn({ notifications: { email: { host: "smtp.example.org" } } });
    const { exitCode, stderr } = await program.run("dump", "--json");

    expect(exitCode).toBe(2);
    expect(stderr).toContain("nobody was notified of the failure: notifications.email.from: is missing");
  });
});

describe("a job that is under way", () => {
  const sleeping = (): Changes => ({
    hooks: {
      dump: {
        before: { run: ["sleep", "45"] },
        onFailure: { run: ["sh", "-c", `cat > '${join(place, "undone.json")}'`] },
      },
    },
  });
  const started = async () => {
    const program = await programOn(sleeping());
    const job = program.start(["dump", "--json"]);
    await vi.waitFor(() => expect(pathsOf(monitor)).toEqual(["/start"]), 30_000);
    return { program, job };
  };

  it("and is stopped by a signal reaches people, and its hook for failures runs", async () => {
    const { job } = await started();
    await vi.waitFor(() => expect(slack.seen).toHaveLength(1), 30_000);
    job.process.kill("SIGTERM");

    expect(await job.ended).toMatchObject({ exitCode: 4, json: { error: { name: "JobAbortedError" } } });
    expect(pathsOf(monitor)).toEqual(["/start", "/fail"]);
    expect(JSON.parse(await readFile(join(place, "undone.json"), "utf8"))).toMatchObject({ status: "aborted" });
  });

  it("refuses a second one by name, of which people are notified and for which no hook runs", async () => {
    const { program, job } = await started();
    const second = await program.run("dump", "--json");

    expect(second).toMatchObject({ exitCode: 5, json: { error: { name: "InstallationBusyError" } } });
    expect(pathsOf(monitor)).toEqual(["/start", "/start", "/fail"]);
    await expect(stat(join(place, "undone.json"))).rejects.toThrow("ENOENT");
    job.process.kill("SIGTERM");
    await job.ended;
  });

  it("that is killed has reported only its start; systemd's unit for failures reports the rest, once", async () => {
    const invocation = "0123456789abcdef0123456789abcdef";
    const { job } = await started();
    job.process.kill("SIGKILL");
    await job.ended;
    expect(pathsOf(monitor)).toEqual(["/start"]);

    const before = smtp.received.length;
    const systemd = await programOn({ environment: { MONITOR_INVOCATION_ID: invocation } });
    const unit = ["notify", "failure", "--unit", "openemr-ops-dump@clinic-a.service", "--json"];
    expect((await systemd.run(...unit)).json).toMatchObject({ reported: "now" });
    expect((await systemd.run(...unit)).json).toMatchObject({ reported: "before" });

    expect(pathsOf(monitor)).toEqual(["/start", "/fail"]);
    const mails = await mailsSince(before);
    expect(mails.map(({ subject }) => subject)).toEqual(["Dump of clinic-a failed: TaskLostError"]);
    expect(mails[0]?.text).toContain("journalctl -u openemr-ops-dump@clinic-a.service");
  });
});

it("a unit whose job reported its failure by itself is not reported twice", async () => {
  const id = "fedcba9876543210fedcba9876543210";
  const job = await programOn({ environment: { INVOCATION_ID: id, DUMP_USER_PASSWORD: "wrong" } });
  await job.run("dump", "--json");
  const unit = await programOn({ environment: { MONITOR_INVOCATION_ID: id } });
  const told = await unit.run("notify", "failure", "--unit", "openemr-ops-dump@clinic-a.service", "--json");

  expect(told).toMatchObject({ exitCode: 0, json: { reported: "before", channels: [] } });
  expect(pathsOf(monitor)).toEqual(["/start", "/fail"]);
});

it("config check tries the secrets of the channels, sends nothing, and names the one that fails", async () => {
  const program = await programOn();
  const before = smtp.received.length;
  const secretsOf = async () => {
    const { exitCode, json } = await program.run("config", "check", "--secrets", "--json");
    const { secrets } = json as { readonly secrets: readonly { readonly field: string; readonly ok: boolean }[] };
    return { exitCode, failing: secrets.filter(({ ok }) => !ok).map(({ field }) => field), number: secrets.length };
  };
  const good = await secretsOf();
  await writeFile(join(place, "mail.password"), "canary-wrong", { mode: 0o600 });
  await writeFile(join(place, "ping.url"), "http://hc.example/plain", { mode: 0o600 });

  expect(good).toMatchObject({ exitCode: 0, failing: [] });
  expect(await secretsOf()).toEqual({
    exitCode: 4,
    failing: ["notifications.email.passwordFile", "notifications.ping[0].urlFile"],
    number: good.number,
  });
  expect([smtp.received.length, monitor.pings, slack.seen.length]).toEqual([before, [], 2]);
});

describe("notify test", () => {
  it("sends a test through every channel, and leaves the monitor's check as it is", async () => {
    const before = smtp.received.length;
    const { exitCode, json } = await (await programOn()).run("notify", "test", "--json");

    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ ok: true, channels: [{ ok: true }, { ok: true }, { ok: true }, { ok: true }] });
    expect(pathsOf(monitor)).toEqual(["/log"]);
    expect((await mailsSince(before))[0]?.subject).toBe(`Test of OpenEMR Ops on ${hostname()}`);
    expect(slack.seen).toHaveLength(1);
    expect(await recordsTold()).toMatchObject([{ kind: "test" }]);
  });

  it("names each channel that fails, ends with 4, and shows no secret", async () => {
    await writeFile(join(place, "mail.password"), "canary-wrong", { mode: 0o600 });
    await writeFile(join(place, "ping.url"), `${monitor.url}/canary-nowhere`, { mode: 0o600 });
    await writeFile(join(place, "slack.token"), "xoxb-canary-0000", { mode: 0o600 });
    const command = { run: ["sh", "-c", "echo did not work >&2; exit 3"] };
    const program = await programOn({ notifications: { ...notifications(), command } });
    const { exitCode, json, stdout, stderr } = await program.run("notify", "test", "--json");

    expect(exitCode).toBe(4);
    expect(json).toMatchObject({
      ok: false,
      channels: [
        { channel: "notifications.slack", note: expect.stringMatching(/^NotificationRefusedError: .*invalid_auth/) },
        { channel: "notifications.email", note: expect.stringMatching(/^MailLoginRefusedError: /) },
        { channel: "notifications.ping[0]", note: expect.stringMatching(/^NotificationRefusedError: .*status 404/) },
        { channel: "notifications.command", note: expect.stringMatching(/^HookFailedError: .*exit status 3/) },
      ],
    });
    expect(stderr).toContain("did not work");
    expect(stdout + stderr).not.toMatch(/canary|5bf66975/);
  });

  it("is refused where no channel is configured", async () => {
    const { exitCode, stderr } = await (await programOn({ notifications: {} })).run("notify", "test");

    expect(exitCode).toBe(2);
    expect(stderr).toContain("notifications: names no channel; add slack, email, ping or command");
  });
});

describe("the command of each kind of job", () => {
  const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf";
  const installation = {
    ...anInstallation(),
    database: { ...anInstallation().database, restore: { user: "restore", password: "env:RESTORE" } },
    exports: { destination: "file:///srv/exports" },
    health: { url: "http://127.0.0.1/" },
    users: { administrator: arn },
    rotations: {
      database: { slots: arn.replace("db", "slots"), administrator: arn },
      admin: { secret: arn.replace("db", "admin"), user: "admin" },
      master: { secret: arn.replace("db", "master") },
      smtp: {
        iamUser: "mailer",
        secret: arn.replace("db", "smtp"),
        region: "eu-west-1",
        testMessage: { from: "a@clinic.example", to: "b@clinic.example" },
      },
      redeploy: { command: ["true"] },
    },
  };
  const options: Readonly<Record<string, readonly string[]>> = {
    restore: ["--dump", dumpId, "--into-database", "restored", "--into-sites", "/srv/restored"],
  };
  const environment = { PASSWORD: "x", RESTORE: "y", REPOSITORY: "z" };

  const whole = () => ({
    stateDirectory: join(place, "state"),
    notifications: { ping: [{ urlFile: "ping.url" }] },
    installations: [
      {
        ...installation,
        dumps: {
          ...installation.dumps,
          passwordFile: "env:REPOSITORY",
          copies: [{ destination: "file:///srv/copies" }],
        },
        database: { ...installation.database, passwordFile: "env:PASSWORD" },
      },
    ],
  });

  /** A report by hand only looks: it is a job in a container and on AWS alone. */
  const ofJobs = kindNames.filter((kind) => kind !== "report");

  it.each(ofJobs)("%s pings start and success, or the failure of a wrong configuration", async (kind) => {
    const file = join(place, "c.json");
    const config = whole();
    const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" ");
    const argv = [...words, ...(options[kind] ?? []), "--config", file, "--yes", "--json"];

    await writeFile(file, JSON.stringify(config));
    const run = await runInMemory(argv, memoryOperations(), { environment });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).not.toContain("reports a problem");
    // A dump is copied afterwards, by a job of its own.
    expect(pathsOf(monitor)).toEqual(kind === "dump" ? ["/start", "", "/start", ""] : ["/start", ""]);

    await writeFile(file, JSON.stringify({ ...config, installations: [{ ...installation, database: {} }] }));
    const broken = await runInMemory(argv, memoryOperations(), { environment });
    expect(broken.exitCode).toBe(2);
    expect(monitor.pings.at(-1)).toMatchObject({ path: "/fail", body: expect.stringContaining(`${kind} of clinic-a`) });
  });

  it("report notifies nobody: whoever typed it gets the answer", async () => {
    const file = join(place, "c.json");
    const argv = ["report", "--config", file, "--to-destination", "--json"];

    await writeFile(file, JSON.stringify(whole()));
    const run = await runInMemory(argv, memoryOperations(), { environment });
    expect(run.exitCode, run.stderr).toBe(0);
    await writeFile(file, JSON.stringify({ ...whole(), installations: [{}] }));
    expect((await runInMemory(argv, memoryOperations(), { environment })).exitCode).toBe(2);
    expect(pathsOf(monitor)).toEqual([]);
  });
});

it("a person at a terminal, who sees a wrong configuration, is the only one to be notified of it", async () => {
  const file = join(place, "c.json");
  await writeFile(file, JSON.stringify({ notifications: { ping: [{ urlFile: "ping.url" }] }, installations: [{}] }));
  const run = await runInMemory(["dump", "--config", file], memoryOperations(), { ask: async () => true });

  expect(run.exitCode).toBe(2);
  expect(monitor.pings).toEqual([]);
});
