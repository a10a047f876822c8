import { spawnSync } from "node:child_process";
import { chmod, chown, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCodeOf, type OpsError, RepositoryPasswordError } from "@openemr-ops/core/errors";
import type { ReportProgress } from "@openemr-ops/core/progress";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { type MariaDb, startMariaDb } from "@openemr-ops/local/servers/mariadb";
import { findTool } from "@openemr-ops/local/tools/findTool";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aClinic, type Clinic, growLog } from "../../support/aClinic.ts";
import { dumpAsJob } from "../../support/asJob.ts";
import { killPrograms, programsWith } from "../../support/crashes.ts";
import { contextFor, type DumpContextOptions, resticsHere } from "../../support/dumpContext.ts";
import { realCommandLine } from "../../support/realCommandLine.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

type Format = "restic" | "portable";

let clinic: Clinic;
const preparedIn = (format: Format) => join(clinic.directory, `prepared-${format}`);
beforeAll(async () => {
  clinic = await aClinic();
  for (const format of ["restic", "portable"] as const) {
    const context = await contextFor({ ...clinic, directory: preparedIn(format), dumps: { format } });
    await takeDump(context);
  }
  await growLog(clinic.schema, 8);
});
afterAll(() => clinic.remove());

let places = 0;
/** A context with state and locks of its own, and a repository of its own with one good dump in it. */
const aPlace = async ({ format = "restic", ...more }: { format?: Format } & Partial<DumpContextOptions> = {}) => {
  const directory = more.directory ?? join(clinic.directory, `place-${++places}`);
  const repository = join(directory, "repository");
  await cp(join(preparedIn(format), "repository"), repository, { recursive: true });
  await chmod(directory, 0o755);
  const options = { ...clinic, dumps: { format, stallSeconds: 2 }, ...more, directory };
  return { context: await contextFor(options), options, directory, repository };
};

const idsOf = async (context: DumpContext): Promise<readonly string[]> =>
  (await listDumps(context)).map(({ dumpId, complete, problem }) => {
    expect(complete, problem).toBe(true);
    return dumpId;
  });

/** Does something once, as soon as rows flow; the dump waits for it no longer than the stream takes. */
const onceRowsFlow = (work: () => Promise<void> | void): { progress: ReportProgress; done: () => Promise<void> } => {
  let started: Promise<void> | undefined;
  return {
    progress: ({ step, bytes = 0 }) => {
      if (step === "database" && bytes > 0) started ??= (async () => work())();
    },
    done: async () => {
      expect(started, "rows flowed").toBeDefined();
      await started;
    },
  };
};

interface Expected {
  readonly error: string;
  readonly exitCode: number;
  /** What the message has to say. */
  readonly says?: RegExp;
}

/** A dump that fails leaves its error, a record, and nothing else; after the repair the next one succeeds and drills. */
const failsAndRecovers = async (
  good: DumpContext,
  bad: DumpContext,
  { error, exitCode, says = /./ }: Expected,
  repair: () => Promise<unknown> | unknown = () => undefined,
): Promise<void> => {
  const before = await idsOf(good);
  const failure = await dumpAsJob(bad).then(
    () => undefined,
    (thrown: OpsError) => thrown,
  );
  expect(failure, "the dump fails").toBeDefined();
  expect(`${failure?.name}: ${failure?.message}`).toMatch(new RegExp(`^${error}: .*(?:${says.source})`, "s"));
  expect(failure && exitCodeOf(failure)).toBe(exitCode);
  await repair();

  expect(await idsOf(good)).toEqual(before);
  const [record] = await good.jobs.list(good.installation, 1);
  expect(record).toMatchObject({ kind: "dump", status: "failed", error: { name: error } });
  const { dumpId } = await takeDump(good);
  expect(await idsOf(good)).toEqual([dumpId, ...before]);
  for await (const { key } of good.destination.list("locks/")) expect(key).toBe("no lock");
  expect(await drillDump(good, dumpId)).toMatchObject({ verdict: "passed" });
};

describe.each(resticsHere())("a dump that $name refuses", ({ restic }) => {
  it("leaves no program and no session at the database, and writes nothing more", async () => {
    const { options, directory } = await aPlace();
    const [mariadbDump, slowRestic, started] = ["mariadb-dump", "restic", "started"].map((name) =>
      join(directory, name),
    );
    // It stands still in the midst of its work, and heeds only what cannot be ignored.
    await writeFile(`${mariadbDump}`, `#!/bin/sh\ntouch "${started}"\nkill -STOP $$\n`, { mode: 0o755 });
    const waits = `case " $* " in *" backup "*) while [ ! -e "${started}" ]; do sleep 0.01; done;; esac`;
    await writeFile(`${slowRestic}`, `#!/bin/sh\n${waits}\nexec "${restic}" "$@"\n`, { mode: 0o755 });
    const environment = { REPOSITORY_PASSWORD: "not the password" };
    const wrong = await contextFor({ ...options, restic: slowRestic ?? "", environment });
    const refused = { ...wrong, tools: { ...wrong.tools, mariadbDump: mariadbDump ?? "" } };

    await expect(takeDump(refused)).rejects.toThrow(RepositoryPasswordError);
    expect(await programsWith(directory)).toEqual([]);
    await rm(join(directory, "repository"), { recursive: true }); // fails where somebody writes there
    await expect(readdir(join(directory, "repository"))).rejects.toThrow("ENOENT");
    const { user } = clinic.schema.dumpUser;
    const sessions = () => clinic.schema.query("SELECT id FROM information_schema.processlist WHERE user = ?", [user]);
    await vi.waitUntil(async () => (await sessions()).length === 0); // the server notices a moment later
  });
});

describe("a dump fails under its own name, does not count, and the next one succeeds,", () => {
  it("when the dump program is killed", async () => {
    const { context, directory } = await aPlace();
    const mariadbDump = join(directory, "mariadb-dump");
    const dies =
      'case " $* " in *" --single-transaction "*) mariadb-dump "$@" | { head -c 100000; cat > /dev/null; }; kill -9 $$;; esac';
    await writeFile(mariadbDump, `#!/bin/sh\n${dies}\nexec mariadb-dump "$@"\n`, { mode: 0o755 });
    await failsAndRecovers(
      context,
      { ...context, tools: { ...context.tools, mariadbDump } },
      { error: "DatabaseDumpFailedError", exitCode: 4, says: /SIGKILL/ },
    );
  });

  it.each(["restic", "portable"] as const)(
    "when the dump program's output is cut though it says that all is well (%s)",
    async (format) => {
      const { context, directory } = await aPlace({ format });
      const mariadbDump = join(directory, "mariadb-dump");
      await writeFile(mariadbDump, '#!/bin/sh\nmariadb-dump "$@" | head -c 100000\nexit 0\n', { mode: 0o755 });
      const tools = { ...context.tools, mariadbDump };
      await failsAndRecovers(
        context,
        { ...context, tools },
        { error: "DatabaseDumpFailedError", exitCode: 4, says: /end mark/ },
      );
    },
  );

  it("when restic is killed", async () => {
    const { context, repository } = await aPlace();
    const { progress, done } = onceRowsFlow(() => killPrograms("restic", `RESTIC_REPOSITORY=${repository}`));
    await failsAndRecovers(
      context,
      { ...context, progress },
      { error: "ToolFailedError", exitCode: 4, says: /SIGKILL/ },
      done,
    );
  });

  it("when tar is killed", async () => {
    const { context } = await aPlace({ format: "portable" });
    const big = join(clinic.sitesPath, "default/documents/12/scan");
    await writeFile(big, Buffer.alloc(64 * 2 ** 20, 7));
    const { progress, done } = onceRowsFlow(() => killPrograms("tar", clinic.directory));
    await failsAndRecovers(
      context,
      { ...context, progress },
      { error: "ToolFailedError", exitCode: 4, says: /SIGKILL/ },
      done,
    );
    await rm(big);
  });

  it.each(["restic", "portable"] as const)("when the destination is full (%s)", async (format) => {
    const directory = join(clinic.directory, `full-${format}`);
    await using disk = await smallFileSystem(join(directory, "repository"), 4);
    const { context } = await aPlace({ format, directory });
    await failsAndRecovers(context, context, { error: "DestinationFullError", exitCode: 4 }, () => disk.resize(100));
  });

  it("when the disk of our own state is full", async () => {
    const directory = join(clinic.directory, "full-state");
    await using disk = await smallFileSystem(join(directory, "state"), 1);
    const { context } = await aPlace({ directory });
    const before = await idsOf(context);
    await writeFile(join(disk.path, "ballast"), Buffer.alloc(2 ** 20)).catch(() => undefined);
    await expect(dumpAsJob(context)).rejects.toMatchObject({ name: "DiskFullError" });
    expect(await idsOf(context)).toEqual(before);
    await rm(join(disk.path, "ballast"));
    const { dumpId } = await dumpAsJob(context);
    expect(await idsOf(context)).toEqual([dumpId, ...before]);
  });

  it.each([
    // restic makes directories anew for what it has in work: then remains without a repository are found, else nothing.
    { format: "restic" as const, errors: ["IntegrityError", "DestinationMissingError"] },
    { format: "portable" as const, errors: ["DestinationMissingError"] },
  ])("when the destination goes away half-way ($format)", async ({ format, errors }) => {
    const { context, repository } = await aPlace({ format });
    await takeDump(context);
    const { progress, done } = onceRowsFlow(() => rename(repository, `${repository}-gone`));
    await expect(takeDump({ ...context, progress })).rejects.toMatchObject({
      name: expect.toSatisfy((name: string) => errors.includes(name)),
    });
    await done();
    // Remains of a repository are damage, not an empty list.
    const listed = await listDumps(context).catch(({ name }: Error) => name);
    expect(format === "restic" ? ["IntegrityError", []] : [[]]).toContainEqual(listed);
    await rm(repository, { recursive: true, force: true });
    const { dumpId } = await takeDump(context, { forceNewRepository: true });
    expect(await idsOf(context)).toEqual([dumpId]);
    expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed" });
  });

  it("when the repository with earlier dumps is gone, until a new one is asked for", async () => {
    const { context, repository } = await aPlace();
    await dumpAsJob(context);
    await rm(repository, { recursive: true });
    await mkdir(repository); // as an unmounted disk leaves it
    const failure = await dumpAsJob(context).catch((thrown: OpsError) => thrown);
    expect(failure).toMatchObject({
      name: "DestinationMissingError",
      message: expect.stringMatching(/mounted.*forceNewRepository/s),
    });
    expect(await idsOf(context)).toEqual([]);
    await dumpAsJob(context, { forceNewRepository: true });
    expect(await idsOf(context)).toHaveLength(1);
  });

  it("when the repository's password is wrong", async () => {
    const { context, options } = await aPlace();
    const bad = await contextFor({ ...options, environment: { REPOSITORY_PASSWORD: "another" } });
    await failsAndRecovers(context, bad, { error: "RepositoryPasswordError", exitCode: 4 });
  });

  it("when the database's password is wrong", async () => {
    const { context } = await aPlace();
    const bad = { ...context, database: { ...context.database, password: async () => "another" } };
    await failsAndRecovers(context, bad, { error: "DatabaseAccessDeniedError", exitCode: 4 });
  });

  it.each(["visits", "patients"])("when somebody holds a lock on table %s", async (table) => {
    const { context } = await aPlace();
    const { host, port, user, password, name } = clinic.schema;
    const session = await mysql.createConnection({ host, port, user, password, database: name });
    await session.query(`LOCK TABLES ${table} WRITE`);
    await failsAndRecovers(context, context, { error: "TableLockedError", exitCode: 4 }, () => session.end());
  });

  it.each([
    { format: "restic" as const, tool: "restic" as const, variable: "OPENEMR_OPS_RESTIC" },
    { format: "portable" as const, tool: "tar" as const, variable: "OPENEMR_OPS_TAR" },
  ])("when a file may not be read ($format)", async ({ format, tool, variable }) => {
    await using nobodys = { ...(await aClinic()), [Symbol.asyncDispose]: () => nobodys.remove() };
    const { context, options, directory } = await aPlace({ ...nobodys, format });
    // The program runs as a user of no rights, to whom all belongs but one letter.
    const copy = join(directory, `real-${tool}`);
    await copyFile(findTool(tool) ?? tool, copy);
    await chmod(copy, 0o755);
    const script = `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups ${copy} "$@"\n`;
    await writeFile(join(directory, tool), script, { mode: 0o755 });
    spawnSync("chown", ["-R", "65534:65534", directory]);
    const letter = join(nobodys.sitesPath, "default/documents/12/letter");
    await chown(letter, 0, 0);
    await chmod(letter, 0o600);
    const bad = await contextFor({ ...options, environment: { [variable]: join(directory, tool) } });
    const expected = { error: "SourceUnreadableError", exitCode: 4, says: /1 files or directories/ };
    await failsAndRecovers(context, bad, expected);
  });

  it("when it is asked to stop", async () => {
    const { context, options, repository } = await aPlace();
    const before = await idsOf(context);
    const program = await realCommandLine(options);
    const { process: child, ended } = program.start(["dump"]);
    while ((await programsWith(`RESTIC_REPOSITORY=${repository}`)).length === 0) await sleep(10);
    child.kill("SIGTERM");
    const end = await ended;
    expect(end).toMatchObject({ exitCode: 4, json: { error: { name: "JobAbortedError" } } });
    expect((await context.jobs.list("clinic-a", 1))[0]).toMatchObject({ status: "aborted" });
    expect(await idsOf(context)).toEqual(before);
    const { dumpId } = await takeDump(context);
    expect(await idsOf(context)).toEqual([dumpId, ...before]);
  });
});

describe("a dump fails under its own name and the next one succeeds, on a server of its own,", () => {
  let directory: string;
  let server: MariaDb;
  let own: Clinic;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "openemr-ops-own-"));
    server = await startMariaDb({ directory });
    own = await aClinic({ server, logMegabytes: 8 });
    await own.schema.query("CREATE TABLE old_forms (id INT PRIMARY KEY, note TEXT) ENGINE=MyISAM");
    await own.schema.query("INSERT INTO old_forms SELECT seq, REPEAT('form', 500) FROM seq_1_to_2000");
  });
  afterAll(async () => {
    await server.stop();
    for (const path of [directory, own.directory]) await rm(path, { recursive: true, force: true });
  });
  /** The same data on the server as it is now: each start has its own port. */
  const aPlaceOn = (address: MariaDb) =>
    aPlace({ ...own, schema: { ...own.schema, host: address.host, port: address.port } });

  it("when the database is killed in the middle", async () => {
    const victim = server;
    const { context, options } = await aPlaceOn(victim);
    const before = await idsOf(context);
    const { progress, done } = onceRowsFlow(() => victim.kill());
    const failure = await takeDump({ ...context, progress }).catch((thrown: OpsError) => thrown);
    await done();
    expect(failure).toMatchObject({ name: "DatabaseUnavailableError" });
    expect(failure instanceof Error && exitCodeOf(failure as OpsError)).toBe(4);
    expect(await idsOf(context)).toEqual(before);

    server = await startMariaDb({ directory });
    const again = await contextFor({ ...options, schema: { ...own.schema, port: server.port } });
    const { dumpId } = await takeDump(again);
    expect(await idsOf(again)).toEqual([dumpId, ...before]);
    expect(await drillDump(again, dumpId)).toMatchObject({ verdict: "passed" });
  });

  it("when a table is corrupt", async () => {
    const { context } = await aPlaceOn(server);
    const file = join(directory, "data", own.schema.name, "old_forms.MYD");
    await server.query("FLUSH TABLES");
    const content = await readFile(file);
    await writeFile(file, content.subarray(0, content.length / 2));
    const expected = { error: "DatabaseDumpFailedError", exitCode: 4, says: /old_forms/ };
    await failsAndRecovers(context, context, expected, async () => {
      await writeFile(file, content);
      await server.query(`REPAIR TABLE ${own.schema.name}.old_forms`);
    });
  });

  it("when a row is larger than the server lets out", async () => {
    const { context } = await aPlaceOn(server);
    await server.query(`INSERT INTO ${own.schema.name}.log (comments) VALUES (REPEAT('wide ', 1000000))`);
    await server.query("SET GLOBAL max_allowed_packet = 1048576");
    // Whether a server sends what it would not take is its own affair; the dump must be whole or fail.
    const outcome = await takeDump(context).catch((thrown: OpsError) => thrown);
    if (!(outcome instanceof Error)) {
      await expect(drillDump(context, outcome.dumpId)).rejects.toMatchObject({
        name: "TargetUnsuitableError",
        message: expect.stringContaining("raise max_allowed_packet to at least 8388608"),
      });
    } else expect(outcome).toMatchObject({ name: "DatabaseDumpFailedError" });
    await server.query("SET GLOBAL max_allowed_packet = 1073741824");
    const { dumpId } = await takeDump(context);
    expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed" });
  });
});

describe("a restore", () => {
  it.each(["restic", "portable"] as const)(
    "says that the local disk is full, and leaves nothing behind (%s)",
    async (format) => {
      const { context, directory } = await aPlace({ format });
      const scan = join(clinic.sitesPath, "default/documents/12/scan");
      await writeFile(scan, Buffer.alloc(4 * 2 ** 20, 7));
      const { dumpId } = await takeDump(context);
      await rm(scan);
      await using disk = await smallFileSystem(join(directory, "drills"), 2);
      const failure = await drillDump(context, dumpId).catch((thrown: OpsError) => thrown);
      expect(failure).toMatchObject({ name: "DiskFullError" });
      expect(await readdir(disk.path)).toEqual([]);
      disk.resize(50);
      expect(await drillDump(context, dumpId)).toMatchObject({ verdict: "passed" });
    },
  );
});
