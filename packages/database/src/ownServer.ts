import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DiskFullError,
  LocalSystemError,
  type OpsError,
  onThisMachine,
  ToolFailedError,
  ToolMissingError,
} from "@openemr-ops/core/errors";
import { type ChildEnd, runChild, startChild } from "@openemr-ops/files/child";
import { type Directory, openOrMakeChild } from "@openemr-ops/files/directory";
import pRetry from "p-retry";
import type { DatabaseAccess } from "./access.ts";
import { connect } from "./connection.ts";
import { quoteName } from "./identifiers.ts";

/** Names or paths of what a server of our own needs. */
export interface OwnServerPrograms {
  readonly mariadbd: string;
  readonly mariadbInstallDb: string;
}

/** A database server that this program started for itself. It ends with this program, whatever ends that. */
export interface OwnServer extends AsyncDisposable {
  /** A user who may do everything in one schema, which is not made yet, and nothing else. */
  readonly access: DatabaseAccess;
  /** Why it ended before its time; `undefined` while it runs. Asked after a failure, of which its end may be the cause. */
  failure(): Promise<OpsError | undefined>;
}

export interface OwnServerSettings {
  /** ASCII letters, digits and `_`. */
  readonly schema: string;
  /** True: names of tables are kept and compared in lower case. */
  readonly foldsNames: boolean;
  /** Bytes that this program and its children may still take. */
  readonly availableMemory: number;
  readonly signal: AbortSignal;
}

const mebibyte = 2 ** 20;

/** A quarter of what is free: the loading clients, the program that reads the dump and we need the rest. Whole MiB. */
export const bufferPoolMebibytes = (availableMemory: number): number =>
  Math.floor(Math.min(Math.max(availableMemory / 4 / mebibyte, 64), 1024));

const missing = (command: string, what: string, cause?: unknown) =>
  new ToolMissingError(
    `${command} ${what}: a drill with dumps.drill.database "own" needs it. Install MariaDB's server program, which starts no service (Debian, Ubuntu: apt-get install mariadb-server-core), and setpriv (package util-linux), or set dumps.drill.database to a server. OPENEMR_OPS_MARIADBD and OPENEMR_OPS_MARIADB_INSTALL_DB name other copies`,
    { cause },
  );

/**
 * Looks whether a server of our own can be started here, and starts none.
 *
 * @returns product and version, such as `MariaDB 10.11.19`
 * @throws {ToolMissingError} refused: says what to install
 */
export const describeOwnServer = async (programs: OwnServerPrograms): Promise<string> => {
  const outputOf = async (command: string, option: string) => {
    const run = runChild(command, [option]);
    return (
      await run.catch((error: unknown) => {
        throw missing(command, "is not installed, or not on the PATH", error);
      })
    ).output;
  };
  const said = await outputOf(programs.mariadbd, "--version");
  const version = /Ver (\d+\.\d+\.\d+)-MariaDB/.exec(said)?.[1];
  if (version === undefined) throw missing(programs.mariadbd, "is not MariaDB's server");
  await outputOf(programs.mariadbInstallDb, "--help");
  if (!(await outputOf("setpriv", "--help")).includes("--pdeathsig"))
    throw missing("setpriv", "does not know --pdeathsig");
  return `MariaDB ${version}`;
};

const asRoot = (): readonly string[] => (process.geteuid?.() === 0 ? ["--user=root"] : []);

/** Settings of both programs; no file of this machine's settings is read. */
const common = (at: string, { foldsNames }: OwnServerSettings): readonly string[] => [
  "--no-defaults",
  ...asRoot(),
  `--datadir=${at}/data`,
  "--skip-name-resolve",
  "--innodb-use-native-aio=0", // a container may not let it, and the machine has few slots for it
  `--lower-case-table-names=${foldsNames ? 1 : 0}`,
];

/** Nothing here outlives the drill, so nothing is written twice or waited for. */
const forTheMoment = [
  "--skip-log-bin",
  "--innodb-flush-log-at-trx-commit=0",
  "--skip-innodb-doublewrite",
  "--innodb-buffer-pool-dump-at-shutdown=0",
  "--innodb-buffer-pool-load-at-startup=0",
  "--performance-schema=OFF",
];

/** What it loads is foreign: it reaches no network, no file but its own, and runs nothing by itself. */
const closed = (at: string) => [
  "--skip-networking",
  "--local-infile=0",
  "--skip-symbolic-links",
  "--event-scheduler=OFF",
  "--skip-general-log",
  "--skip-slow-query-log",
  `--secure-file-priv=${at}/nothing`,
];

/** One schema for one user by password; nobody else may log in. */
const initStatements = (schema: string, user: string, password: string): string =>
  [
    "DROP USER IF EXISTS root@localhost, ''@localhost;",
    `CREATE USER ${user}@localhost IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON ${quoteName(schema.replaceAll("_", "\\_"))}.* TO ${user}@localhost;`,
    "",
  ].join("\n");

/**
 * The kernel ends the server when we die, however we die. Should that have happened before the kernel was asked, the
 * server finds another parent and does not start.
 */
const withParent = (command: string, args: readonly string[]): readonly string[] => [
  ...["--pdeathsig", "KILL", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', String(process.pid)],
  command,
  ...args,
];

/** Lines of its log that it calls errors; of a crash it also prints the statement, which holds rows. */
const errorLines = (log: string): string =>
  log
    .split("\n")
    .flatMap((line) => /\[ERROR\] (.*)$/.exec(line)?.[1] ?? [])
    .slice(-3)
    .join("; ");

const spaceIsOut = /No space left|Disk (?:is )?full|(?:errno|error)(?: code)?:? "?28\b/i;

const failed = (doing: string, { code, signal, errors }: ChildEnd): OpsError => {
  if (spaceIsOut.test(errors))
    return new DiskFullError(`${doing}: no space left: free some, or set dumps.drill.directory to a larger disk`);
  if (signal === "SIGKILL")
    return new LocalSystemError(
      `${doing}: it was killed, as a system that is short of memory does: give it more, or set dumps.drill.database to a server`,
    );
  return new ToolFailedError(
    `${doing}: it ended by ${signal ?? `status ${code}`}: ${errorLines(errors) || "no reason"}`,
  );
};

const makeDataDirectory = async (at: string, { mariadbInstallDb }: OwnServerPrograms, settings: OwnServerSettings) => {
  const end = await runChild(
    mariadbInstallDb,
    [
      ...common(at, settings),
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      // Else it looks up this machine's name, which a container may not know, and as root gives a file of the system's own
      // server, for logins by PAM, to another user.
      "--rpm",
    ],
    { environment: { TMPDIR: `${at}/temporary` } },
  );
  const doing = "making the drill's database server";
  if (end.code !== 0) throw failed(doing, { ...end, errors: `${end.output}\n${end.errors}` });
};

const starting = "starting the drill's database server";

const ready = async (access: DatabaseAccess, mayCome: () => boolean): Promise<void> =>
  pRetry(async () => (await connect(access, "information_schema"))[Symbol.asyncDispose](), {
    retries: 600,
    factor: 1,
    minTimeout: 100,
    shouldRetry: mayCome,
  });

/**
 * Starts a MariaDB server in a directory of ours. It listens on a Unix socket in there alone, which nobody else reaches;
 * its paths go by our open directory, so that they are short whatever the directory's own is. The caller deletes the
 * directory after the server's end.
 *
 * @throws {ToolFailedError | DiskFullError | LocalSystemError} fatal: it did not start
 */
export const startOwnServer = async (
  programs: OwnServerPrograms,
  parent: Directory,
  settings: OwnServerSettings,
): Promise<OwnServer> => {
  await using opened = new AsyncDisposableStack();
  const { directory } = await openOrMakeChild(parent, "server");
  opened.use(directory);
  const at = directory.at.replace("/self/", `/${process.pid}/`);
  for (const name of ["temporary", "nothing"])
    await onThisMachine(starting, directory.path, () => mkdir(`${at}/${name}`));
  await makeDataDirectory(at, programs, settings);
  settings.signal.throwIfAborted();

  const [user, password] = ["openemr_ops", randomBytes(24).toString("base64url")];
  const initFile = `${at}/init.sql`;
  await onThisMachine(starting, directory.path, () =>
    writeFile(initFile, initStatements(settings.schema, user, password), { mode: 0o600 }),
  );
  const server = startChild(
    "setpriv",
    withParent(programs.mariadbd, [
      ...common(at, settings),
      ...forTheMoment,
      ...closed(at),
      `--socket=${at}/socket`,
      `--pid-file=${at}/pid`,
      `--tmpdir=${at}/temporary`,
      `--init-file=${initFile}`,
      "--character-set-server=utf8mb4",
      "--max-allowed-packet=1G",
      `--innodb-buffer-pool-size=${bufferPoolMebibytes(settings.availableMemory)}M`,
    ]),
  );
  server.stdout.resume();
  server.stdin.end();
  let end: ChildEnd | undefined;
  const ended = server.ended.then(
    (found) => {
      end = found;
    },
    () => {},
  );
  opened.defer(async () => {
    server.kill("SIGKILL");
    await ended;
  });

  const access: DatabaseAccess = {
    host: "localhost",
    port: 0,
    socket: `${at}/socket`,
    name: settings.schema,
    user,
    password: async () => password,
    tls: "off",
  };
  await ready(access, () => !end && !settings.signal.aborted).catch((error: unknown) => {
    settings.signal.throwIfAborted();
    throw end ? failed(starting, end) : error;
  });
  await rm(initFile);
  const held = opened.move();
  return {
    access,
    failure: async () => {
      // A connection breaks before the end of the process is known.
      await Promise.race([ended, sleep(500, undefined, { ref: false })]);
      return end && failed("the drill's database server stopped", end);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
};
