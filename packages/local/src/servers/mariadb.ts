import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolFailedError, ToolMissingError } from "@openemr-ops/core/errors";
import mysql from "mysql2/promise";
import { findTool } from "../tools/findTool.ts";
import { type ChildServer, startChildServer } from "./childServer.ts";
import { freePort } from "./freePort.ts";

/** Where a MariaDB server listens and who may do everything there. */
export interface MariaDbAddress {
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket. */
  readonly socket: string;
  readonly user: string;
  readonly password: string;
}

/** One row as mysql2 gives it, dates and decimals as strings. */
export type Row = Readonly<Record<string, unknown>>;

/** A MariaDB server of our own. */
export interface MariaDb extends MariaDbAddress {
  readonly pid: number;
  /** Runs one statement as root; rows for a SELECT, nothing for the rest. `?` in the text takes `values` in order. */
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Makes an empty schema, utf8mb4_general_ci as OpenEMR has it. */
  createSchema(name: string): Promise<void>;
  /** Shuts the server down; the data directory stays and can be started again. Safe to repeat. */
  stop(): Promise<void>;
  /** SIGKILL, as when the machine loses power. Safe to repeat. */
  kill(): Promise<void>;
}

const tool = (name: string): string => {
  const path = findTool(name);
  if (path === undefined) throw new ToolMissingError(`${name} is not installed; run "npm run tools -- --for demo"`);
  return path;
};

const asRoot = (): readonly string[] => (process.getuid?.() === 0 ? ["--user=root"] : []);

const makeDataDirectory = (datadir: string): void => {
  const { status, error, stdout, stderr } = spawnSync(
    tool("mariadb-install-db"),
    [
      "--no-defaults",
      `--datadir=${datadir}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--skip-name-resolve",
      "--innodb-log-file-size=32M",
      ...asRoot(),
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new ToolFailedError(`mariadb-install-db failed: ${error?.message ?? `${stdout}${stderr}`}`);
};

/** The value as a literal of SQL. */
export const sqlString = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
/** The name as a quoted identifier of SQL. */
export const sqlName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** Statements for the server's own start: root by password alone, over TCP and over the socket. */
const rootStatements = (password: string): string =>
  ["localhost", "127.0.0.1"]
    .flatMap((host) => [
      `CREATE USER IF NOT EXISTS root@'${host}';`,
      `ALTER USER root@'${host}' IDENTIFIED BY ${sqlString(password)};`,
      `GRANT ALL PRIVILEGES ON *.* TO root@'${host}' WITH GRANT OPTION;`,
    ])
    .join("\n");

const startOn = async (
  port: number,
  {
    datadir,
    directory,
    extraArguments,
    socket,
    password,
    pool,
  }: {
    datadir: string;
    directory: string;
    extraArguments: readonly string[];
    socket: string;
    password: string;
    pool: mysql.Pool;
  },
): Promise<ChildServer> => {
  const initFile = join(directory, "init.sql");
  writeFileSync(initFile, `${rootStatements(password)}\n`, { mode: 0o600 });
  try {
    return await startChildServer({
      command: tool("mariadbd"),
      args: [
        "--no-defaults",
        ...asRoot(),
        `--datadir=${datadir}`,
        `--tmpdir=${directory}`,
        `--socket=${socket}`,
        `--pid-file=${join(directory, "server.pid")}`,
        `--init-file=${initFile}`,
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--innodb-buffer-pool-size=128M",
        "--innodb-log-file-size=32M",
        "--innodb-use-native-aio=0",
        "--performance-schema=OFF",
        "--max-allowed-packet=1G",
        "--local-infile=ON",
        ...extraArguments,
      ],
      env: { PATH: "/usr/bin:/bin" },
      logFile: join(directory, "server.log"),
      ready: () => pool.query("SELECT 1"),
    });
  } finally {
    rmSync(initFile, { force: true });
  }
};

/**
 * Starts a MariaDB server on a data directory below `directory`, made on first use: own port on 127.0.0.1, own socket,
 * root by a fresh random password. Its settings are small; durability is MariaDB's default.
 *
 * @param extraArguments options for mariadbd, which win over ours
 * @throws {ToolMissingError} refused: MariaDB is not installed
 * @throws {ToolFailedError} fatal: the server did not start; the message ends with its log
 */
export const startMariaDb = async ({
  directory,
  extraArguments = [],
}: {
  readonly directory: string;
  readonly extraArguments?: readonly string[];
}): Promise<MariaDb> => {
  const datadir = join(directory, "data");
  mkdirSync(directory, { recursive: true });
  if (!existsSync(join(datadir, "mysql"))) makeDataDirectory(datadir);
  // A socket's path may hold 107 bytes, a directory's path more.
  const socketDirectory = mkdtempSync(join(tmpdir(), "mariadb-"));
  const socket = join(socketDirectory, "sock");
  const password = randomBytes(18).toString("base64url");

  const attempt = async (triesLeft: number): Promise<{ port: number; pool: mysql.Pool; server: ChildServer }> => {
    const port = await freePort();
    const pool = mysql.createPool({
      host: "127.0.0.1",
      port,
      user: "root",
      password,
      connectionLimit: 4,
      dateStrings: true,
      supportBigNumbers: true,
      charset: "utf8mb4",
    });
    try {
      return {
        port,
        pool,
        server: await startOn(port, { datadir, directory, extraArguments, socket, password, pool }),
      };
    } catch (error) {
      await pool.end();
      if (triesLeft > 0 && error instanceof Error && error.message.includes("Address already in use")) {
        return attempt(triesLeft - 1);
      }
      rmSync(socketDirectory, { recursive: true, force: true });
      throw error;
    }
  };
  const { port, pool, server } = await attempt(3);

  const query = async (sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> => {
    const [rows] = await pool.query(sql, [...values]);
    return Array.isArray(rows) ? (rows as Row[]) : [];
  };
  let poolEnded: Promise<void> | undefined;
  const end = async (how: () => Promise<void>): Promise<void> => {
    poolEnded ??= pool.end().catch(() => undefined);
    await poolEnded;
    await how();
    rmSync(socketDirectory, { recursive: true, force: true });
  };
  return {
    host: "127.0.0.1",
    port,
    socket,
    user: "root",
    password,
    pid: server.pid,
    query,
    createSchema: async (name) => {
      await query(`CREATE DATABASE ${sqlName(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`);
    },
    stop: () => end(server.stop),
    kill: () => end(server.kill),
  };
};
