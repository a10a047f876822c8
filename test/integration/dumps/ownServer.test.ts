import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readlink, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DiskFullError, LocalSystemError, RestoredDataDiffersError, ToolMissingError } from "@openemr-ops/core/errors";
import { startOwnServer } from "@openemr-ops/database/ownServer";
import type { DumpContext } from "@openemr-ops/dumps/context";
import { checkDumps } from "@openemr-ops/dumps/steps/checkDumps";
import { drillDump } from "@openemr-ops/dumps/steps/drillDump";
import { listDumps } from "@openemr-ops/dumps/steps/listDumps";
import { takeDump } from "@openemr-ops/dumps/steps/takeDump";
import { openDirectory } from "@openemr-ops/files/directory";
import type { DatabaseServer } from "@openemr-ops/local/servers/databaseServer";
import { startMariaDb } from "@openemr-ops/local/servers/mariadb";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aClinic, type Clinic, growLog, patientCanary } from "../../support/aClinic.ts";
import { crashAt, killProgram, settleOrphans } from "../../support/crashes.ts";
import { contextFor, type DumpContextOptions } from "../../support/dumpContext.ts";
import { realCommandLine } from "../../support/realCommandLine.ts";
import { smallFileSystem } from "../../support/smallFileSystem.ts";

let directory: string;
let generalLog: string;
let live: DatabaseServer;
let clinic: Clinic;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "openemr-ops-own-server-"));
  generalLog = join(directory, "general.log");
  live = await startMariaDb({ directory, extraArguments: ["--general-log=1", `--general-log-file=${generalLog}`] });
  clinic = await aClinic({ server: live });
  await takeDump(await contextFor(options()));
});
afterAll(async () => {
  await clinic.remove();
  await live.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Nobody logs in to the live server with these. */
const noPasswords = { DUMP_USER_PASSWORD: "wrong", RESTORE_USER_PASSWORD: "wrong" };
/** What an ordinary user of Debian has, and what this machine's tools need. */
const userPath = () => ["/usr/local/bin", "/usr/bin", "/bin"].join(":");

const options = (drill: object = { database: "own" }): DumpContextOptions => ({
  ...clinic,
  dumps: { format: "portable", drill: { directory: join(clinic.directory, "drills"), ...drill } },
});

/** As a context of `options`, without the passwords of the live server: whoever asks for one fails. */
const locked = (more: Partial<DumpContextOptions> = {}): Promise<DumpContext> =>
  contextFor({ ...options(), ...more, environment: { ...noPasswords, ...more.environment } });

/** Database servers that work below a directory, by number. */
const serversBelow = async (place: string): Promise<readonly number[]> => {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const program = await readlink(`/proc/${pid}/exe`).catch(() => "");
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (program.endsWith("/mariadbd") && cwd.startsWith(place)) found.push(Number(pid));
  }
  return found;
};
const killServersBelow = async (place: string): Promise<readonly number[]> => {
  const servers = await serversBelow(place);
  for (const pid of servers) killProgram(pid);
  return servers;
};

const drills = () => join(clinic.directory, "drills");
const nothingLeft = async (): Promise<void> => {
  expect(await readdir(drills())).toEqual([]);
  expect(await serversBelow(clinic.directory)).toEqual([]);
};
const isVerified = async (context: DumpContext) =>
  (await listDumps(context)).some(({ verified }) => verified?.level === "drill");

/** The same, with bytes of the stored rows changed on their way to the drill. */
const withOtherRows = ({ store, ...context }: DumpContext, from: string, to: string): DumpContext => ({
  ...context,
  store: {
    ...store,
    readDatabase: (part, consume, run) =>
      store.readDatabase(
        part,
        async (stream) => {
          const text = (await buffer(stream)).toString("latin1");
          expect(text).toContain(from);
          return consume(Readable.from([Buffer.from(text.replace(from, to), "latin1")]));
        },
        run,
      ),
  },
});

describe("a drill with a server of its own", () => {
  it("sends the live server no statement, and reads none of its passwords", async () => {
    const before = (await stat(generalLog)).size;

    expect(await drillDump(await locked(), "latest")).toMatchObject({
      verdict: "passed",
      differences: [],
      keyProof: "proven",
      target: { database: "openemr_drill" },
    });
    expect((await stat(generalLog)).size).toBe(before);
    await nothingLeft();
  });

  it("passes where the live server cannot be reached, in a directory with a long name, and as a check", async () => {
    const deep = join(drills(), "d".repeat(120));
    await mkdir(deep);
    const context = await locked({
      ...options({ database: "own", directory: deep }),
      schema: { ...clinic.schema, port: 1 },
    });

    expect(await checkDumps(context, "drill")).toMatchObject({ level: "drill" });
    expect(await readdir(deep)).toEqual([]);
    await rm(deep, { recursive: true });
  });

  it("finds a row that is not as it was dumped", async () => {
    const context = withOtherRows(await locked(), patientCanary, patientCanary.toUpperCase());

    await expect(drillDump(context, "latest")).rejects.toThrow(RestoredDataDiffersError);
    await nothingLeft();
  });

  it("lets its user into one schema and at no file, and nobody else in", async () => {
    await using place = await openDirectory(await realpath(await mkdtemp(join(clinic.directory, "server-"))));
    const { tools, signal } = await locked();
    const settings = { schema: "drill_of_a", foldsNames: false, availableMemory: 2 ** 30, signal };
    await using server = await startOwnServer(tools, place, settings);
    const { socket: socketPath = "", user, password } = server.access;
    const login = { socketPath, user, password: await password() };
    const refusalOf = async (sql: string): Promise<unknown> => {
      const connection = await mysql.createConnection(login);
      return connection
        .query(sql)
        .then(
          ([rows]) => JSON.stringify(rows),
          ({ code }) => code,
        )
        .finally(() => connection.end());
    };

    expect(await refusalOf("CREATE DATABASE drill_of_a")).not.toMatch(/^ER_/);
    expect(await refusalOf("CREATE DATABASE drillXofXa")).toBe("ER_DBACCESS_DENIED_ERROR");
    expect(await refusalOf("SELECT * FROM mysql.global_priv")).toBe("ER_TABLEACCESS_DENIED_ERROR");
    expect(await refusalOf("SELECT 1 INTO OUTFILE '/tmp/rows'")).toBe("ER_SPECIFIC_ACCESS_DENIED_ERROR");
    expect(await refusalOf("SELECT LOAD_FILE('/etc/passwd') AS a")).toBe('[{"a":null}]');
    expect(await refusalOf("SET GLOBAL event_scheduler = ON")).toBe("ER_SPECIFIC_ACCESS_DENIED_ERROR");
    expect(await refusalOf("SELECT @@port AS a, @@skip_networking AS b")).toBe('[{"a":0,"b":1}]');
    for (const other of ["root", user, ""])
      await expect(mysql.createConnection({ socketPath, user: other })).rejects.toThrow(/Access denied/);
    expect((await stat(join(place.path, "server"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(place.path, "server"))).not.toContain("init.sql");
  });

  it("keeps names of tables as the source does", async () => {
    const folding = await startMariaDb({
      directory: join(directory, "folding"),
      extraArguments: ["--lower-case-table-names=1"],
    });
    const other = await aClinic({ server: folding });
    try {
      await other.schema.query("CREATE VIEW notes AS SELECT note FROM Visits");
      await other.schema.query("CREATE TRIGGER odd BEFORE UPDATE ON visits FOR EACH ROW DELETE FROM Log WHERE id = 0");
      const context = await contextFor({ ...options(), ...other, id: "folding" });
      await takeDump(context);

      expect(await drillDump(context, "latest")).toMatchObject({ verdict: "passed", differences: [] });
    } finally {
      await other.remove();
      await folding.stop();
    }
  });

  it("works for an ordinary user of the machine, whose PATH has no servers", async () => {
    spawnSync("chmod", ["-R", "a+rX", clinic.directory]);
    const program = await realCommandLine({ ...options(), environment: { ...noPasswords, PATH: userPath() } });
    spawnSync("chown", ["-R", "65534:65534", clinic.directory]);
    const end = await program.run(["drill"], { user: 65534 });
    spawnSync("chown", ["-R", "0:0", clinic.directory]);

    expect(end.exitCode, end.stderr).toBe(0);
    expect(end.json).toMatchObject({ verdict: "passed" });
    await nothingLeft();
  });
});

describe("whatever happens, the drill's server ends", () => {
  it("when the drill is stopped", async () => {
    const stop = new AbortController();
    const context = await locked({
      surroundings: {
        signal: stop.signal,
        progress: ({ step }) => step === "load" && stop.abort(new Error("stopped")),
      },
    });

    await expect(drillDump(context, "latest")).rejects.toThrow("stopped");
    await nothingLeft();
  });

  it("when the drill is stopped while the server starts", async () => {
    const stop = new AbortController();
    const context = await locked({
      surroundings: {
        signal: stop.signal,
        progress: ({ step }) => step === "server" && stop.abort(new Error("stopped")),
      },
    });

    await expect(drillDump(context, "latest")).rejects.toThrow("stopped");
    await nothingLeft();
  });

  it("when the drill is killed, wherever that happens, and the next drill removes its directory", async () => {
    // Every program that the drill starts gets it, and is known by it.
    const environment = { ...noPasswords, HOME: join(clinic.directory, "home") };
    const program = await realCommandLine({ ...options(), environment });
    const whole = await crashAt(program, ["drill"], 0, clinic.directory);
    expect(whole.exitCode, whole.stderr).toBe(0);
    const points = ["started mariadb-install-db", "started setpriv", "sql CREATE DATABASE", "started mariadb-dump"].map(
      (what) => whole.effects.findLastIndex((effect) => effect.startsWith(what)) + 1,
    );
    expect(points).not.toContain(0);

    for (const point of points) {
      expect(await crashAt(program, ["drill"], point, clinic.directory)).toMatchObject({ killed: true });
      expect(await readdir(drills()), whole.effects[point - 1]).toHaveLength(1);
      await settleOrphans(environment.HOME, "end");
    }
    expect(await program.run(["drill"])).toMatchObject({ exitCode: 0, json: { verdict: "passed" } });
    await nothingLeft();
  }, 120_000);
});

describe("where the drill's server cannot work, the drill is refused or fails by name, and verifies nothing", () => {
  it.each(["OPENEMR_OPS_MARIADBD", "OPENEMR_OPS_MARIADB_INSTALL_DB"])("without the program of %s", async (variable) => {
    const context = await locked({ environment: { [variable]: "/nowhere/mariadb-program" } });
    const fetched: string[] = [];
    const { destination } = context;
    const watched: DumpContext = {
      ...context,
      destination: {
        ...destination,
        get: (key) => {
          fetched.push(key);
          return destination.get(key);
        },
      },
    };

    const refusal: unknown = await drillDump(watched, "latest").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ToolMissingError);
    expect(String(refusal)).toMatch(/\/nowhere\/mariadb-program is not installed.*apt-get install mariadb-server-core/);
    expect(fetched).toEqual([]);
    await nothingLeft();
  });

  it("on a disk that has no room for the server, or for the rows", async () => {
    const grown = await aClinic();
    await growLog(grown.schema, 100);
    const id = "grown";
    await takeDump(await contextFor({ ...options(), ...grown, id }));
    {
      await using disk = await smallFileSystem(join(grown.directory, "disk"), 20);
      const context = await locked({ ...options({ database: "own", directory: disk.path }), ...grown, id });

      await expect(drillDump(context, "latest")).rejects.toThrow(DiskFullError);
      disk.resize(220);
      await expect(drillDump(context, "latest")).rejects.toThrow(DiskFullError);
      expect(await readdir(disk.path)).toEqual([]);
      expect(await isVerified(context)).toBe(false);
    }
    await grown.remove();
  }, 120_000);

  it("when the system kills it", async () => {
    let killed: Promise<readonly number[]> | undefined;
    const context = await locked({
      surroundings: {
        progress: ({ step }) => {
          if (step === "compare") killed ??= killServersBelow(clinic.directory);
        },
      },
    });

    await expect(drillDump(context, "latest")).rejects.toThrow(LocalSystemError);
    expect(await killed).toHaveLength(1);
    await nothingLeft();
  });
});

describe("a drill on a server that logs every statement", () => {
  it("warns, and so does each dump", async () => {
    const warnings: string[] = [];
    const context = await contextFor({ ...options({}), surroundings: { warn: (message) => warnings.push(message) } });
    const { manifest } = await takeDump(context);
    await drillDump(context, "latest");

    expect(warnings.join()).toMatch(
      /general log of the server writes every statement.*dumps\.drill\.database to "own"/,
    );
    expect(manifest.warnings.map(({ code }) => code)).toContain("statements-logged");
    expect((await takeDump(await contextFor(options()))).manifest.warnings.map(({ code }) => code)).not.toContain(
      "statements-logged",
    );
  });
});
