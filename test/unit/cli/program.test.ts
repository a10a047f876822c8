import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  DumpNotFoundError,
  InPlaceNotAllowedError,
  InstallationBusyError,
  IntegrityError,
  KeyPairError,
  type OpsError,
  ToolFailedError,
} from "@openemr-ops/core/errors";
import type { BrowsedFile } from "@openemr-ops/dumps/steps/browseDump";
import { describe, expect, it } from "vitest";
import {
  dumpId,
  type MemoryOperations,
  memoryOperations,
  memorySink,
  runInMemory,
  someBrowsedFiles,
} from "../../support/commandLine.ts";
import { aConfig, aConfigDirectory, anInstallation, snapshotOf } from "../../support/configuration.ts";

const two = () =>
  aConfig(anInstallation(), {
    ...anInstallation({ id: "hospital" }),
    dumps: { ...anInstallation().dumps, destination: "s3://hospital/dumps", endpoint: "http://127.0.0.1:9000" },
  });

describe("a command", () => {
  it("is refused by the name of the section that the installation lacks", async () => {
    await using directory = await aConfigDirectory();
    const { dumps: _, ...withoutDumps } = anInstallation();
    const file = await directory.write({ installations: [withoutDumps] });
    for (const command of ["dump", "dumps", "drill", "check", "retention"]) {
      const run = await runInMemory([command, "--config", file]);
      expect(run.exitCode, command).toBe(2);
      expect(run.stderr, command).toContain("installations[0].dumps: is missing; this job needs it");
    }
    expect((await runInMemory(["config", "check", "--config", file])).stdout).toContain("no dumps");
  });

  it("says its plan before, and its result after on standard output", async () => {
    await using directory = await aConfigDirectory();
    const run = await runInMemory(["dump", "--config", await directory.write(aConfig())]);
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toBe(
      "2026-11-21T04:08:00Z Dump clinic-a\n  database     openemr on 127.0.0.1:3306 as dump, TLS off\n  sites        /srv/openemr/sites\n  destination  file:///srv/backups/clinic-a (restic)\n",
    );
    expect(run.stdout).toBe(
      `Dump ${dumpId} is complete.\n  rows           1,234,567\n  database size  1.5 KiB\n  time           4.2 s\nwarning: 2 rows of documents have no file\n`,
    );
  });

  it.each<[string, string, unknown]>([
    ["dump --dry-run", "takeDump", { forceNewRepository: false }],
    ["dump --force-new-repository", "takeDump", { forceNewRepository: true }],
    ["dumps", "listDumps", undefined],
    [
      "restore --dump latest --into-database restored --into-sites /srv/restore",
      "restoreDump",
      { dump: "latest", intoDatabase: "restored", intoSites: "/srv/restore", inPlace: false, upgrade: false },
    ],
    [
      "restore --dump latest --for cloud-sql --into-database openemr",
      "planCloudSql",
      { dump: "latest", intoDatabase: "openemr" },
    ],
    [
      "restore --dump latest --table globals --table lists --into-database look --dry-run",
      "restorePart, planned",
      expect.objectContaining({ dump: "latest", tables: ["globals", "lists"], intoDatabase: "look", inPlace: false }),
    ],
    [
      "restore --dump latest --patient 12 --site default --into-database look --into-sites /srv/look",
      "restorePart",
      expect.objectContaining({ patient: "12", site: "default", intoDatabase: "look", intoSites: "/srv/look" }),
    ],
    ["browse", "browseDump", { dump: "latest" }],
    ["browse --tables --copy 1", "browseDump", { dump: "latest", copy: 1 }],
    ["drill", "drillDump", { dump: "latest" }],
    ["check", "checkDumps", { level: "objects" }],
    ["check --level read-data --share 1/7", "checkDumps", { level: "read-data", share: "1/7" }],
    ["check destination", "checkDestination", undefined],
    ["retention --dry-run", "applyRetention", undefined],
  ])("%s asks for its operation, and prints exactly one JSON value with --json", async (line, operation, options) => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations();
    const argv = [...line.split(" "), "--config", await directory.write(aConfig()), "--json"];
    const run = await runInMemory(argv, operations);
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toBeTypeOf("object");
    expect(run.stdout.trimEnd()).not.toContain("\n");
    expect(operations.asked.map((call) => [call.operation, call.options])).toEqual([[operation, options]]);
    expect(operations.asked[0]?.job).toMatchObject({
      dryRun: line.includes("--dry-run"),
      installation: { id: "clinic-a" },
    });
  });

  it("works on the installation that is named, and refuses to guess", async () => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(two());
    const operations = memoryOperations();
    expect((await runInMemory(["drill", "--config", config, "--installation", "hospital"], operations)).exitCode).toBe(
      0,
    );
    expect(operations.asked[0]?.job.installation.id).toBe("hospital");
    const run = await runInMemory(["dump", "--config", config], operations);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("installation: is missing; expected one of clinic-a, hospital");
    expect(operations.asked).toHaveLength(1);
  });

  it("finds the configuration in the working directory by its usual name", async () => {
    await using directory = await aConfigDirectory();
    const at = { cwd: directory.path };
    const nothing = await runInMemory(["dumps"], memoryOperations(), at);
    expect(nothing.exitCode).toBe(2);
    expect(nothing.stderr).toContain(
      "--config: is missing, and neither openemr-ops.config.json nor openemr-ops.config.ts",
    );
    await writeFile(join(directory.path, "openemr-ops.config.json"), JSON.stringify(aConfig()));
    expect((await runInMemory(["dumps"], memoryOperations(), at)).exitCode).toBe(0);
    await writeFile(join(directory.path, "openemr-ops.config.ts"), "export default {};");
    expect((await runInMemory(["dumps"], memoryOperations(), at)).stderr).toContain("choose one");
  });

  it("finds the machine's configuration where the working directory has none", async () => {
    await using directory = await aConfigDirectory();
    await using machine = await aConfigDirectory();
    const operations = memoryOperations();
    const at = { cwd: directory.path, machineConfig: machine.path };
    const nothing = await runInMemory(["dumps"], operations, at);
    expect(nothing.exitCode).toBe(2);
    expect(nothing.stderr).toContain(`there is no ${join(machine.path, "config.json")}`);
    await writeFile(join(machine.path, "config.json"), JSON.stringify(aConfig()));
    expect((await runInMemory(["dumps"], operations, at)).exitCode).toBe(0);
    expect((await runInMemory(["notify", "test"], operations, at)).stderr).toContain("names no channel");
    await writeFile(join(machine.path, "openemr-ops.config.ts"), "export default {};");
    expect((await runInMemory(["dumps"], operations, at)).stderr).toContain("choose one");
    const nearer = aConfig(anInstallation({ id: "nearer" }));
    await writeFile(join(directory.path, "openemr-ops.config.json"), JSON.stringify(nearer));
    expect((await runInMemory(["dumps"], operations, at)).exitCode).toBe(0);
    expect(operations.asked.map(({ job }) => job.installation.id)).toEqual([anInstallation().id, "nearer"]);
  });

  it("hands a connection file on as a reference", async () => {
    await using directory = await aConfigDirectory();
    const connect = join(directory.path, "target.json");
    await writeFile(connect, JSON.stringify({ host: "db", name: "openemr", user: "o", passwordFile: "db.password" }));
    const operations = memoryOperations();
    const line = "restore --dump latest --into-database r --into-sites /r --for host";
    const argv = [...line.split(" "), "--connect", connect, "--config", await directory.write(aConfig())];
    expect((await runInMemory(argv, operations)).exitCode).toBe(0);
    expect(operations.asked[0]?.options).toMatchObject({
      platform: "host",
      connection: { host: "db", port: 3306, name: "openemr", user: "o", password: { kind: "file" } },
    });
  });

  it("refuses broken input with exit status 2 and the field's path, and touches nothing", async () => {
    await using directory = await aConfigDirectory();
    const file = await directory.write({ installations: [{ ...anInstallation(), id: "../x" }] });
    const before = await snapshotOf(directory.path);
    for (const command of ["dump", "dumps", "drill", "check", "check destination", "retention", "config check"]) {
      const operations = memoryOperations();
      const run = await runInMemory([...command.split(" "), "--config", file, "--json"], operations);
      expect(run.exitCode).toBe(2);
      expect(JSON.parse(run.stdout)).toMatchObject({
        error: { name: "InvalidInputError", issues: [{ path: "installations[0].id" }] },
      });
      expect(operations.asked).toEqual([]);
    }
    expect(await snapshotOf(directory.path)).toEqual(before);
  });

  it.each<[OpsError, number]>([
    [new DumpNotFoundError("there is no dump"), 3],
    [new InPlaceNotAllowedError("it is live"), 3],
    [new ToolFailedError("restic ended with 1"), 4],
    [new InstallationBusyError("held by another"), 5],
    [new IntegrityError("a byte differs"), 6],
    [new KeyPairError("the keys do not fit"), 6],
  ])("ends under the failure's name and exit status: %s", async (failure, exitCode) => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(aConfig());
    const operations = memoryOperations({ takeDump: () => Promise.reject(failure) });
    const plain = await runInMemory(["dump", "--config", config], operations);
    expect(plain).toMatchObject({ exitCode, stdout: "" });
    expect(plain.stderr).toContain(`error ${failure.name}: ${failure.message}\n`);
    const json = await runInMemory(["dump", "--config", config, "--json"], operations);
    expect(json.exitCode).toBe(exitCode);
    expect(JSON.parse(json.stdout)).toEqual({ error: { name: failure.name, message: failure.message } });
  });

  it("says where a defect of ours lies without repeating its message, which may quote data", async () => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations({ takeDump: () => Promise.reject(new TypeError("canary-patient")) });
    const run = await runInMemory(["dump", "--config", await directory.write(aConfig())], operations);
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toContain("error UnexpectedError: unforeseen failure: TypeError");
    expect(run.stderr).toMatch(/\n\s+at .*program\.test\.ts/);
    expect(run.stderr).not.toContain("canary-patient");
  });

  it("fails when the destination cannot serve, after showing what was tried", async () => {
    await using directory = await aConfigDirectory();
    const finding = { check: "an object comes back", ok: false, milliseconds: 3, note: "it did not" };
    const operations = memoryOperations({ checkDestination: async () => [finding] });
    const config = await directory.write(aConfig());
    const run = await runInMemory(["check", "destination", "--config", config], operations);
    expect(run.exitCode).toBe(4);
    expect(run.stdout).toContain("fails  an object comes back  3 ms  it did not");
    const json = await runInMemory(["check", "destination", "--config", config, "--json"], operations);
    expect(JSON.parse(json.stdout)).toEqual({ ok: false, findings: [finding] });
  });

  it("passes the wish to stop on to the job", async () => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations();
    const stop = new AbortController();
    await runInMemory(["dump", "--config", await directory.write(aConfig())], operations, { signal: stop.signal });
    const [asked] = operations.asked;
    expect(asked?.job.signal.aborted).toBe(false);
    stop.abort();
    expect(asked?.job.signal.aborted).toBe(true);
  });

  it("warns on standard error alone", async () => {
    await using directory = await aConfigDirectory();
    const { database } = anInstallation();
    const config = aConfig(anInstallation({ database: { ...database, host: "db.example.org" } }));
    const run = await runInMemory(["dumps", "--config", await directory.write(config), "--json"]);
    expect(run).toMatchObject({
      stdout: "[]\n",
      stderr:
        "2026-11-21T04:08:00Z warning: installations[0].database.tls is off: patient data crosses the network unencrypted\n" +
        "2026-11-21T04:08:00Z warning: there is no dump of clinic-a here: there is nothing at file:///srv/backups/clinic-a: mount its disk\n",
    });
  });

  it("checks a configuration without opening what does the work", async () => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(two());
    const openOperations = () => Promise.reject(new Error("not needed"));
    const json = await runInMemory(["config", "check", "--config", config, "--json"], memoryOperations(), {
      openOperations,
    });
    expect(JSON.parse(json.stdout)).toMatchObject({
      valid: true,
      path: config,
      warnings: [],
      installations: [{ id: "clinic-a" }, { id: "hospital", destination: "s3://hospital/dumps" }],
    });
    expect((await runInMemory(["config", "check", "--config", config])).stdout).toContain(`${config} is in order.`);
  });

  it("checks that variables are set before anything else", async () => {
    await using directory = await aConfigDirectory();
    const { database } = anInstallation();
    const config = await directory.write(
      aConfig(anInstallation({ database: { ...database, passwordFile: "env:DB_PASSWORD" } })),
    );
    expect((await runInMemory(["config", "check", "--config", config])).stderr).toContain(
      "installations[0].database.passwordFile: the environment variable DB_PASSWORD is not set",
    );
    const environment = { DB_PASSWORD: "x" };
    expect(
      (await runInMemory(["config", "check", "--config", config], memoryOperations(), { environment })).exitCode,
    ).toBe(0);
  });
});

describe("what is in a dump", () => {
  it("is listed file by file, as one JSON array or a line each", async () => {
    await using directory = await aConfigDirectory();
    const config = await directory.write(aConfig());
    const line = ["browse", "--files", "default/documents", "--files", "*/x", "--config", config];
    const operations = memoryOperations();
    const forPrograms = await runInMemory([...line, "--json"], operations);
    expect(JSON.parse(forPrograms.stdout)).toEqual(someBrowsedFiles);
    expect(operations.asked[0]?.options).toEqual({ dump: "latest", files: ["default/documents", "*/x"] });
    expect((await runInMemory(line)).stdout).toBe(
      "d0700    1000:101        0 B 2026-11-21 04:08:00Z default/documents/\n" +
        "-0600         0:0    1.5 KiB 2026-11-21 04:08:00Z default/documents/a\\u{1b}[31m\n",
    );
  });

  it("ends without an end mark where the list failed, and quietly where nobody reads on", async () => {
    await using directory = await aConfigDirectory();
    const line = ["browse", "--files", "**", "--json", "--config", await directory.write(aConfig())];
    const failing: MemoryOperations = {
      ...memoryOperations(),
      browseFiles: async (_place, _options, onFile) => {
        for (const file of someBrowsedFiles) await onFile(file);
        throw new IntegrityError("the list is cut");
      },
    };
    const run = await runInMemory(line, failing);
    expect(run.exitCode).toBe(6);
    expect(() => JSON.parse(run.stdout)).toThrow(SyntaxError);

    let listed = 0;
    const endless: MemoryOperations = {
      ...memoryOperations(),
      browseFiles: async ({ signal }, _options, onFile) => {
        for (; ; listed++) {
          signal.throwIfAborted();
          await onFile(someBrowsedFiles[0] as BrowsedFile);
        }
      },
    };
    const closed = { ...memorySink(), destroyed: true, write: () => false, drained: async () => {} };
    expect((await runInMemory(line, endless, { stdout: closed })).exitCode).toBe(0);
    expect(listed).toBe(1);
  });

  it.each([
    ["restore --dump latest --table globals --in-place", "--in-place: is for a whole restore"],
    ["restore --dump latest --files x --for host --upgrade", "--upgrade: is for a whole restore"],
    ["browse --tables --files x", "--tables: goes without --files"],
    ["browse --files", "--files"],
  ])("%s is refused by its options", async (line, problem) => {
    const run = await runInMemory(line.split(" "));
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(problem);
  });
});

describe("a question", () => {
  const inPlace = ["restore", "--dump", "latest", "--in-place"];
  it.each<[string, readonly string[], boolean, number]>([
    ["stops a restore in place when it is answered with no", inPlace, false, 1],
    ["lets a restore in place go on when it is answered with yes", inPlace, true, 1],
    ["is asked before dumps are deleted", ["retention"], false, 1],
    ["is not asked with --yes", [...inPlace, "--yes"], false, 0],
    ["is not asked in a dry run", [...inPlace, "--dry-run"], false, 0],
    ["is not asked with --json", [...inPlace, "--json"], false, 0],
    [
      "is not asked before a restore beside the live system",
      ["restore", "--dump", "latest", "--into-database", "r", "--into-sites", "/r"],
      false,
      0,
    ],
    ["is not asked before a dump", ["dump"], false, 0],
  ])("%s", async (_, argv, answer, questions) => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations();
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return answer;
    };
    const run = await runInMemory([...argv, "--config", await directory.write(aConfig())], operations, { ask });
    const goesOn = answer || questions === 0;
    expect(asked).toHaveLength(questions);
    expect(operations.asked).toHaveLength(goesOn ? 1 : 0);
    expect(run.exitCode).toBe(goesOn ? 0 : 4);
    expect(run.stderr.includes("JobAbortedError")).toBe(!goesOn);
  });
});

describe("the list of dumps", () => {
  const operations = memoryOperations({
    listDumps: async () => [
      {
        dumpId,
        takenAt: "2026-11-21T04:08:00.123Z",
        complete: true,
        sealed: true,
        verified: { level: "drill", at: "2026-11-21T05:00:00.000Z", sealed: true },
        rows: 1200,
        files: 30,
        databaseBytes: 1024,
        filesBytes: 1024,
        warnings: 2,
      },
      {
        dumpId: dumpId.replace("01", "00"),
        takenAt: "2026-11-20T04:08:00.123Z",
        complete: false,
        sealed: true,
        verified: null,
        problem: "1 of its 2 halves are not at the destination",
      },
    ],
  });

  it("shows state, verification and size in columns", async () => {
    await using directory = await aConfigDirectory();
    const run = await runInMemory(["dumps", "--config", await directory.write(aConfig())], operations);
    expect(run.stdout.split("\n")).toEqual([
      "dump                        taken at              state     verified                     rows  files     size  remarks",
      `${dumpId}  2026-11-21 04:08:00Z  complete  drill 2026-11-21 05:00:00Z  1,200     30  2.0 KiB  2 warnings`,
      `${dumpId.replace("01", "00")}  2026-11-20 04:08:00Z  damaged   not yet                                            1 of its 2 halves are not at the destination`,
      "",
    ]);
  });

  it.each<[string, boolean, Record<string, string>, boolean]>([
    ["is coloured on a terminal", true, {}, true],
    ["is plain in a file", false, {}, false],
    ["is plain when NO_COLOR is set", true, { NO_COLOR: "1" }, false],
    ["is plain on a dumb terminal", true, { TERM: "dumb" }, false],
  ])("%s", async (_, isTTY, environment, coloured) => {
    await using directory = await aConfigDirectory();
    const stdout = memorySink({ isTTY });
    await runInMemory(["dumps", "--config", await directory.write(aConfig())], operations, { stdout, environment });
    expect(stdout.text().includes("\u001b[32mcomplete")).toBe(coloured);
  });
});

describe("users", () => {
  const database = { ...anInstallation().database, restore: { user: "restore", passwordFile: "repo.password" } };
  const written = { ...aConfig(anInstallation({ database, users: { administrator: "admin.json" } })) };

  it.each([
    { args: ["--dry-run"], done: "would create the user, grant rights" },
    { args: [], done: "user created, rights granted" },
  ])("with $args shows what is done to each database user", async ({ args, done }) => {
    await using directory = await aConfigDirectory();
    await writeFile(join(directory.path, "admin.json"), '{"username":"root","password":"canary"}', { mode: 0o600 });
    const run = await runInMemory(["users", ...args, "--config", await directory.write(written)]);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stderr).toContain("restore user  restore");
    expect(run.stdout).toMatch(new RegExp(`dump user +openemr_dump +${done}`));
    expect(run.stdout + run.stderr).not.toContain("canary");
  });
});

describe("rotations", () => {
  const rotations = {
    database: { slots: "slots.json", administrator: { user: "root", passwordFile: "db.password" } },
    admin: { secret: "oe-admin.json", user: "admin" },
    master: {},
    smtp: {
      iamUser: "ses-smtp-user",
      secret: "smtp.json",
      region: "eu-central-1",
      testMessage: { from: "notifications@example.org", to: "success@simulator.amazonses.com" },
    },
    redeploy: { command: ["systemctl", "reload", "apache2"] },
  };
  const written = aConfig({ ...anInstallation(), rotations, health: { url: "http://127.0.0.1/" } });

  it.each([
    {
      args: ["rotate", "database"],
      says: [
        /logs in as openemr_b \(slot B\), proven after 1 min 15 s/,
        /second +openemr_b +logged in, read and wrote/,
        /retired +openemr_a/,
      ],
    },
    {
      args: ["rotate", "database", "--dry-run"],
      says: [/would be live +slot B, user openemr_b/, /in place of +openemr_a/, /then +would run systemctl/],
    },
    {
      args: ["rotate", "admin"],
      says: [/new password of admin \(site default\) is in its secret, in use after 2.0 s/],
    },
    {
      args: ["rotate", "admin", "--dry-run"],
      says: [
        /would for admin +store a new password\n +change it in OpenEMR\n +make it the current one/,
        /warning: the second factor/,
      ],
    },
    { args: ["rotate", "master"], says: [/new password of admin is proven after 2.0 s/] },
    {
      args: ["rotate", "master", "--dry-run"],
      says: [/would for admin +store a new password\n +set it on the server/],
    },
    {
      args: ["rotate", "smtp"],
      says: [
        /OpenEMR sends with AKIANEW: soaking after 12.3 s/,
        /written to +default\n *test message +0100-0\n *key before +AKIAOLD, inactive/,
        /deleted by the next run after +2026-11-22/,
      ],
    },
    {
      args: ["rotate", "smtp", "--dry-run"],
      says: [
        /in use +AKIAOLD/,
        /would +make a second access key\n +write its SMTP password down/,
        /warning: the site sec/,
      ],
    },
    { args: ["mail", "test"], says: [/Sent through smtp.example.org:587/, /default +ok +AKIANEW +0100-0/] },
    { args: ["redeploy"], says: [/was started anew, and is healthy after 12.3 s/] },
    { args: ["redeploy", "--dry-run"], says: [/Would run systemctl, and wait until OpenEMR is healthy/] },
  ])("by $args are shown to people, and need no slots yet", async ({ args, says }) => {
    await using directory = await aConfigDirectory();
    const run = await runInMemory([...args, "--config", await directory.write(written)]);
    expect(run.exitCode, run.stderr).toBe(0);
    for (const words of says) expect(run.stdout).toMatch(words);
  });

  it("of the database user answer programs with exactly the keys that are promised", async () => {
    await using directory = await aConfigDirectory();
    const run = await runInMemory(["rotate", "database", "--json", "--config", await directory.write(written)]);
    const keys = ["activeSlot", "user", "sites", "proven", "retired", "seconds"];
    expect(Object.keys(JSON.parse(run.stdout))).toEqual(keys);
  });

  it("are all parts of one run, by hand", async () => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations();
    await runInMemory(["rotate", "database", "--config", await directory.write(written)], operations);
    expect(operations.asked).toMatchObject([{ operation: "rotateDatabase", options: { phase: "all" } }]);
  });

  it.each([
    { args: [], options: { phase: "all" } },
    { args: ["--soak-minutes", "0"], options: { phase: "all", soakMinutes: 0 } },
    { args: ["--phase", "retire"], options: { phase: "retire" } },
  ])("of the SMTP credentials are asked with $args as typed", async ({ args, options }) => {
    await using directory = await aConfigDirectory();
    const operations = memoryOperations();
    await runInMemory(["rotate", "smtp", ...args, "--config", await directory.write(written)], operations);
    const [asked] = operations.asked;
    const { version, kind, installation, dryRun, ...rest } = (asked?.options ?? {}) as Readonly<
      Record<string, unknown>
    >;
    expect([version, kind, installation, dryRun]).toEqual([1, "rotateSmtp", "clinic-a", false]);
    expect(rest).toEqual(options);
  });

  it.each(["-1", "1.5", "0x10", "10081", "soon"])("of the SMTP credentials soak no %s minutes", async (text) => {
    await using directory = await aConfigDirectory();
    const run = await runInMemory([
      "rotate",
      "smtp",
      `--soak-minutes=${text}`,
      "--json",
      "--config",
      await directory.write(written),
    ]);
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toContain("--soak-minutes");
  });
});

describe("retention", () => {
  it("names every dump and why", async () => {
    await using directory = await aConfigDirectory();
    const takenAt = "2026-11-20T04:08:00.000Z";
    const operations = memoryOperations({
      applyRetention: async () => ({
        dryRun: true,
        keep: [{ dumpId, takenAt, reasons: ["daily 1 of 7", "newest verified"] }],
        expire: [{ dumpId: dumpId.replace("01", "00"), takenAt, reasons: ["no rule keeps it"] }],
        orphans: ["x"],
      }),
    });
    const run = await runInMemory(["retention", "--dry-run", "--config", await directory.write(aConfig())], operations);
    expect(run.stderr).toContain("Retention of clinic-a, dry run: nothing will be changed\n");
    expect(run.stderr).toContain("keepDaily 7, keepWeekly 5, keepMonthly 12, keepYearly 7");
    expect(run.stdout).toMatch(/would expire {2}00K9\S+ {2}2026-11-20 04:08:00Z {2}no rule keeps it\n/);
    expect(run.stdout).toMatch(/kept {10}01K9\S+ {2}2026-11-20 04:08:00Z {2}daily 1 of 7; newest verified\n/);
    expect(run.stdout).toContain("1 parts of runs that never became a dump: would expire\n");
  });
});
